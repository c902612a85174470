"""A teardown that is held up: what holds it is named, and `--force` lets go that and nothing else.

On a control plane of their own: a dead APIService holds up every namespace of its cluster.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.cluster.node import Envctl, Kubectl, Node
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.node import Finished

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("kill")]

FINALIZER = '{"metadata":{"finalizers":["example.org/held"]}}'
NODE = """\
apiVersion: v1
kind: Node
metadata: {name: NAME, labels: {silent: "yes"}}
"""


class Held:
    """An environment with a ConfigMap that a finalizer holds, and a stranger's beside it."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.node, self.folder = node, folder
        self.kubectl, self.envctl = Kubectl(node), Envctl(node.kubeconfig, folder)
        self.project = f"h-{uuid.uuid4().hex[:6]}"
        self.namespace, self.theirs = f"{self.project}-it", f"{self.project}-theirs"
        self.write("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")

    def write(self, objects: str) -> None:
        (self.folder / "objects.yaml").write_text(objects)
        context = self.node.context
        (self.folder / "envctl.yaml").write_text(
            f"apiVersion: envctl.dev/v1\nproject: {self.project}\n"
            f"cluster: {{context: {context}, allowed: [{context}]}}\n"
            "components: [{name: settings, manifests: [objects.yaml], timeout: 60s}]\n"
        )

    def up(self) -> None:
        self.envctl("up", "--name", "it", "-o", "json", check=0)

    def down(self, *more: str) -> Finished:
        scope = ("--context", self.node.context, "--project", self.project, "--name", "it")
        return self.envctl("down", *scope, "-o", "json", *more)

    def hold(self, namespace: str) -> None:
        done = self.kubectl.run("patch", "configmap", "settings", "-n", namespace, "-p", FINALIZER)
        assert done.returncode == 0, str(done)

    def stranger(self) -> None:
        """A ConfigMap of another namespace, held as well and on its way out."""
        for words in (("create", "namespace", self.theirs),
                      ("create", "configmap", "settings", "-n", self.theirs)):  # fmt: skip
            assert self.kubectl.run(*words).returncode == 0
        self.hold(self.theirs)
        self.kubectl.run("delete", "configmap", "settings", "-n", self.theirs, "--wait=false")

    def end(self) -> None:
        free = '{"metadata":{"finalizers":null}}'
        for namespace in (self.namespace, self.theirs):
            self.kubectl.run("patch", "configmap", "settings", "-n", namespace, "-p", free)
            self.kubectl.run("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def held(control_plane: Node, tmp_path: Path) -> Iterator[Held]:
    found = Held(control_plane, tmp_path)
    yield found
    found.end()


def test_force_lets_go_what_holds_it_and_touches_no_other(held: Held) -> None:
    held.up()
    held.stranger()
    held.hold(held.namespace)
    stuck = held.down("--timeout", "25s")
    assert stuck.returncode == 124, str(stuck)
    assert [s["object"] for s in stuck.json["stuck"]] == ["ConfigMap/settings"]
    assert held.kubectl.exists("configmap", "settings", "-n", held.namespace)

    done = held.down("--force", "--timeout", "60s")
    assert done.returncode == 0, str(done)
    assert done.json["result"] == "gone"
    assert "example.org/held" in done.stderr, "what nobody cleans up now is said"
    assert not held.kubectl.exists("namespace", held.namespace)
    theirs = held.kubectl("get", "configmap", "settings", "-n", held.theirs)
    assert theirs["metadata"]["finalizers"] == ["example.org/held"]


def test_a_dead_api_service_is_named_and_force_does_not_touch_it(held: Held) -> None:
    group = f"{held.project}.example.org"
    name = f"v1.{group}"
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name},
        "spec": {
            "group": group, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "nobody", "namespace": "kube-system"},
        },
    }  # fmt: skip
    held.up()
    held.kubectl.apply(json.dumps(service))
    try:
        done = held.down("--force", "--timeout", "35s")
        assert done.returncode == 124, str(done)
        found = done.json["stuck"]
        assert any(name in json.dumps(item) for item in found), found
        assert held.kubectl.exists("apiservice", name)
    finally:
        held.kubectl.run("delete", "apiservice", name)
    done = held.down("--timeout", "120s")
    assert done.returncode == 0, str(done)
    assert done.json["result"] in ("gone", "absent")


def test_a_pod_on_a_node_that_is_silent_is_named_and_forced(held: Held) -> None:
    node = f"{held.project}-node"
    held.write(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: lost}\nspec:\n"
        f"  nodeName: {node}\n  terminationGracePeriodSeconds: 600\n"
        "  tolerations: [{operator: Exists}]\n"
        '  containers: [{name: a, image: "example.org/a"}]\n'
    )
    held.kubectl.apply(NODE.replace("NAME", node))
    ready = {"status": {"conditions": [{
        "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "silent",
        "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]}}  # fmt: skip
    held.kubectl.run("patch", "node", node, "--subresource=status", "-p", json.dumps(ready))
    try:
        up = held.envctl.start("up", "--name", "it", "-o", "json")
        until(lambda: held.kubectl.exists("pod", "lost", "-n", held.namespace))
        up.kill()
        up.communicate()
        stuck = held.down("--timeout", "25s")
        assert stuck.returncode == 124, str(stuck)
        assert any(node in json.dumps(item) for item in stuck.json["stuck"]), stuck.json["stuck"]
        done = held.down("--force", "--timeout", "60s")
        assert done.returncode == 0, str(done)
    finally:
        held.kubectl.run("delete", "node", node)
