"""Each state in which a dead Helm leaves a release is repaired, and its data is kept.

The state is written into Helm's own record, exactly as Helm would have left it; both Helms read it.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.node import Envctl, Kubectl, Node, tool
from tests.faults import application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("kill")]

HOOK = application.HOOK_MAP % {"event": "post-install"}
CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": application.STORAGE_CLASS},
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}


class Release:
    """An environment of one release, with a claim and with hooks, by one Helm."""

    def __init__(self, node: Node, folder: Path, helm: str) -> None:
        self.project = f"left-{helm}"
        self.kubectl = Kubectl(node)
        self.kubectl.apply(json.dumps(CLASS))
        self.namespace, self._node, self._folder = f"{self.project}-it", node, folder
        self._envctl = Envctl(node.kubeconfig, folder)
        self._env = {"ENVCTL_HELM": tool(helm)}

    def up(self, note: str) -> str:
        """Deploy a version; what was said."""
        application.write(self._folder, self.project, self._node.context, note)
        text = (self._folder / "envctl.yaml").read_text().splitlines()
        kept = [line for line in text if "needs:" not in line and "smoke" not in line]
        (self._folder / "envctl.yaml").write_text("\n".join(kept).replace("checks:", ""))
        hooks = HOOK.replace("before-hook-creation,hook-succeeded", "before-hook-creation")
        (self._folder / "db/templates/hooks.yaml").write_text(hooks)
        done = self._envctl("up", "--name", "it", "-o", "json", env=self._env, check=0)
        assert self.records()[-1]["metadata"]["labels"]["status"] == "deployed"
        return done.stderr

    def down(self) -> None:
        """Take the environment away."""
        self._envctl("down", "--name", "it", "-o", "json", env=self._env, check=0)

    def records(self) -> list[dict[str, Any]]:
        """Helm's records, oldest first."""
        found = self.kubectl.items("secrets", "-n", self.namespace, "-l", "owner=helm,name=db")
        return sorted(found, key=lambda secret: int(secret["metadata"]["labels"]["version"]))

    def leave(self, index: int, status: str) -> None:
        """Give one record a status, in its label and in its body."""
        record = self.records()[index]
        packed = base64.b64decode(base64.b64decode(record["data"]["release"]))
        body = json.loads(gzip.decompress(packed))
        body["info"]["status"] = status
        text = base64.b64encode(gzip.compress(json.dumps(body).encode()))
        record["data"]["release"] = base64.b64encode(text).decode()
        record["metadata"]["labels"]["status"] = status
        done = self.kubectl.run("replace", "-f", "-", stdin=json.dumps(record))
        assert done.returncode == 0, str(done)

    def lose_the_workload(self) -> None:
        """Delete what the release has made, so that the next run has something to do."""
        done = self.kubectl.run("delete", "deployment", "db", "-n", self.namespace)
        assert done.returncode == 0, str(done)

    def uid(self, kind: str, name: str) -> str:
        found: str = self.kubectl("get", kind, name, "-n", self.namespace)["metadata"]["uid"]
        return found

    def note(self) -> str:
        live = self.kubectl("get", "deployment", "db", "-n", self.namespace)
        found: str = live["metadata"]["labels"]["note"]
        return found

    def other(self) -> str:
        """The version that is not deployed."""
        return "one" if self.note() == "two" else "two"


@pytest.fixture(scope="module", params=["helm", "helm3"])
def release(
    control_plane: Node, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Release]:
    """One that is deployed, and that each test leaves deployed."""
    found = Release(control_plane, tmp_path_factory.mktemp(request.param), request.param)
    found.up("one")
    yield found
    found.down()


@pytest.mark.parametrize(
    "status", ["pending-install", "failed", "pending-rollback", "uninstalling"]
)
def test_what_was_never_deployed_is_installed_anew_around_its_data(
    release: Release, status: str
) -> None:
    claim, hook = release.uid("pvc", "db-data"), release.uid("configmap", "db-post-install")
    assert len(release.records()) == 1
    release.leave(-1, status)
    release.lose_the_workload()
    said = release.up("one")
    assert "installed anew" in said
    assert release.uid("pvc", "db-data") == claim
    assert release.uid("configmap", "db-post-install") != hook, "its hooks ran"
    assert [r["metadata"]["labels"]["version"] for r in release.records()] == ["1"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pending-upgrade", "rolling back to revision"),
        ("pending-rollback", "rolling back to revision"),
        ("failed", "upgraded from there"),
    ],
)
def test_what_was_deployed_is_rolled_back_or_upgraded_with_its_data(
    release: Release, status: str, words: str
) -> None:
    claim = release.uid("pvc", "db-data")
    if len(release.records()) == 1:
        release.up(release.other())
    wanted = release.other()
    release.leave(-1, status)
    release.leave(-2, "deployed")
    said = release.up(wanted)
    assert f"was left {status}" in said
    assert words in said
    assert release.note() == wanted
    assert release.uid("pvc", "db-data") == claim
