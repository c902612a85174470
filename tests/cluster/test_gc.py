"""gc, extend and keep with the real command, on a real node and against a GitLab that may fail.

Time is not waited for: the namespaces' annotations say when they were used.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.app import App, deployment
from tests.contract.faults import Fault
from tests.contract.gitlab import GitLab
from tests.documents import check_document
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.node import Envctl, Finished, Kubectl, Node

LONG_AGO = 9 * 86400.0


def stamped(seconds_ago: float) -> str:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Place:
    """Environments of one project on the node, and gc for them."""

    envctl: Envctl
    node: Node
    kubectl: Kubectl
    project: str

    def put(self, name: str, used: float | None = LONG_AGO, **notes: str) -> str:
        """A namespace as ``up`` leaves it, last used that many seconds ago; its name."""
        if used is not None:
            notes = {"last-used-at": stamped(used), "ttl": "259200", "phase": "Ready", **notes}
        labels = {"app.kubernetes.io/managed-by": "envctl", "envctl.dev/project": self.project,
                  "envctl.dev/name": name}  # fmt: skip
        meta = {"name": f"{self.project}-{name}", "labels": labels, "annotations": {
            f"envctl.dev/{key.replace('_', '-')}": value for key, value in notes.items()
        }}  # fmt: skip
        self.kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": meta}))
        return str(meta["name"])

    def gc(self, *arguments: str, check: int = 0, **options: Any) -> dict[str, Any]:
        done = self.run("gc", *arguments, check=check, **options)
        document: dict[str, Any] = done.json
        check_document("gc", document)
        return document

    def run(self, *arguments: str, check: int = 0, **options: Any) -> Finished:
        return self.envctl(
            *arguments, "--context", self.node.context, "--project", self.project, "-o", "json",
            check=check, **options,
        )  # fmt: skip

    def there(self, name: str) -> bool:
        return self.kubectl.exists("namespace", f"{self.project}-{name}")

    def notes(self, name: str) -> dict[str, str]:
        found = self.kubectl("get", "namespace", f"{self.project}-{name}")
        annotations: dict[str, str] = found["metadata"]["annotations"]
        return annotations


@pytest.fixture
def place(envctl: Envctl, node: Node, kubectl: Kubectl, project: str) -> Place:
    return Place(envctl, node, kubectl, project)


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[GitLab]:
    server = GitLab(tmp_path)
    server.start()
    yield server
    server.stop()


def names(document: dict[str, Any], word: str) -> list[str]:
    return [entry["name"] for entry in document[word]]


def whys(document: dict[str, Any], word: str) -> dict[str, str]:
    return {entry["name"]: entry["why"] for entry in document[word]}


def test_a_whole_environment_and_only_it(app: App, place: Place) -> None:
    app.up()
    place.put("young", 60)
    assert names(place.gc(), "kept") == ["it", "young"]
    notes = place.notes("it")
    assert notes["envctl.dev/ttl"] == str(72 * 3600)
    assert notes["envctl.dev/max"] == str(14 * 86400)

    place.put("it", LONG_AGO, **{"expires-at": stamped(LONG_AGO)})
    dry = place.gc("--dry-run")
    assert names(dry, "wouldDelete") == ["it"]
    assert place.there("it")
    for expected in (["it"], []):
        found = place.gc()
        assert names(found, "deleted") == expected
        assert names(found, "kept") == ["young"]
        assert not place.there("it")
    lease = app.kubectl("get", "lease", app.namespace, "-n", "envctl-system")
    assert lease["metadata"]["annotations"]["envctl.dev/deleted-at"]
    assert not lease["spec"].get("holderIdentity")
    assert app.up()["result"] == "succeeded", "and it can be had again"


def test_rules_that_need_no_forge(place: Place) -> None:
    place.put("kept", keep="always by ann")
    place.put("extended", extended_until=stamped(-3600))
    place.put("unfinished-but-new", None, phase="Creating")
    place.put("failed", 3600, phase="Failed")
    other = Place(place.envctl, place.node, place.kubectl, f"{place.project}x")
    try:
        other.put("old")
        found = place.gc()
        assert found["deleted"] == []
        assert sorted(names(found, "kept")) == ["extended", "failed", "kept", "unfinished-but-new"]
        assert whys(found, "kept")["kept"] == "ann keeps it"
        assert other.there("old"), "another project's is untouched"
    finally:
        place.kubectl.run("delete", "namespace", f"{other.project}-old", "--wait=false")


def test_merge_requests_and_a_forge_that_fails(place: Place, gitlab: GitLab) -> None:
    env = gitlab.variables()
    forge = f"{gitlab.url}#{gitlab.project.id}"
    for iid, state in ((1, "merged"), (2, "closed"), (3, "opened")):
        gitlab.project.open(iid, f"branch-{iid}").state = state
        place.put(f"mr-{iid}", 60, merge_request=str(iid), forge_project=forge)
    place.put("elsewhere", 60, merge_request="1", forge_project="https://git.example.org#7")

    everything = ["elsewhere", "mr-1", "mr-2", "mr-3"]
    assert names(place.gc(), "kept") == everything, "without a forge"
    for fault in (Fault.BAD_GATEWAY, Fault.HTML, Fault.FORBIDDEN):
        gitlab.fault(fault, times=None)
        found = place.gc(env=env)
        assert names(found, "kept") == everything, fault
        assert "may be open" in whys(found, "kept")["mr-1"]
        gitlab.heal()

    found = place.gc(env=env)
    assert names(found, "deleted") == ["mr-1", "mr-2"]
    assert whys(found, "deleted")["mr-1"] == "merge request !1 is merged"
    assert names(found, "kept") == ["elsewhere", "mr-3"]


def test_a_note_warns_before_the_end(place: Place, gitlab: GitLab) -> None:
    gitlab.project.open(1, "branch")
    soon = 259200 - 3600
    forge = f"{gitlab.url}#{gitlab.project.id}"
    place.put("mr-1", soon, merge_request="1", forge_project=forge)
    for expected in (1, 0):
        found = place.gc("--warn-before", "24h", env=gitlab.variables())
        assert found["warned"] == expected
    assert len(gitlab.writes()) == 1
    assert f"envctl extend --project {place.project} --name mr-1" in gitlab.writes()[0].body["body"]


def test_what_is_stuck_is_named(place: Place) -> None:
    namespace = place.put("held")
    place.kubectl.apply(json.dumps({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "thing", "namespace": namespace, "finalizers": ["example.org/held"]},
    }))  # fmt: skip
    place.put("old")
    try:
        for _ in range(2):
            found = place.gc("--timeout", "15s", check=1)
            (stuck,) = found["stuck"]
            assert stuck["name"] == "held"
            assert stuck["stuck"][0]["object"] == "ConfigMap/thing"
            assert stuck["stuck"][0]["finalizers"] == ["example.org/held"]
            assert not place.there("old")
        said = place.run("keep", "--name", "held", check=1)
        assert "is being deleted" in said.stdout
    finally:
        free = '{"metadata":{"finalizers":null}}'
        place.kubectl.run(
            "patch", "configmap", "thing", "-n", namespace, "--type=merge", "-p", free
        )
    until(lambda: not place.there("held"))


def test_a_run_at_work_is_left_alone(app: App, place: Place) -> None:
    web = deployment("web").replace(
        "IfNotPresent}", 'IfNotPresent, readinessProbe: {exec: {command: ["/none"]}}}'
    )
    app.write({"deploy/web.yaml": web})
    process = app.envctl.start("up", "--name", "it", "-o", "json")
    try:
        until(lambda: app.kubectl.exists("deployment", "web", "-n", app.namespace))
        place.put("it")  # long expired, and a run works on it
        found = place.gc()
        assert whys(found, "kept")["it"] == "a run works on it"
        began = dt.datetime.now(dt.UTC)
        kept = place.run("keep", "--name", "it", "--for", "2h").json
        check_document("lifetime", kept)
        assert kept["result"] == "kept"
        assert (dt.datetime.now(dt.UTC) - began).total_seconds() < 10, "waits for no run"
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert names(place.gc(), "kept") == ["it"]


def test_too_much_at_once_is_refused(place: Place) -> None:
    for number in range(6):
        place.put(f"old{number}")
    found = place.gc(check=77)
    assert found["deleted"] == []
    assert len(found["wouldDelete"]) == 6
    assert "6 of 6" in found["refused"]
    assert all(place.there(f"old{number}") for number in range(6))
    assert len(place.gc("--yes-really")["deleted"]) == 6


def test_killed_in_the_middle_and_run_again(place: Place) -> None:
    for number in range(5):
        place.put(f"old{number}")
    process = place.envctl.start("gc", "--context", place.node.context, "--project", place.project)
    going = ("namespaces", "-l", f"envctl.dev/project={place.project}")
    until(lambda: any(
        n["metadata"].get("deletionTimestamp") for n in place.kubectl.items(*going)
    ))  # fmt: skip
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    found = place.gc()
    assert set(names(found, "deleted")) <= {f"old{number}" for number in range(5)}
    assert place.kubectl.items(*going) == []


def test_objects_outside_are_found_when_the_namespace_is_gone(place: Place) -> None:
    """A namespace that was deleted by hand, and what its environment had outside of it."""
    name = f"{place.project}-gone"
    labels = {"app.kubernetes.io/managed-by": "envctl", "envctl.dev/project": place.project,
              "envctl.dev/name": "gone"}  # fmt: skip
    kinds = {"envctl.dev/cluster-scoped": "rbac.authorization.k8s.io/v1/clusterroles/ClusterRole"}
    rbac = "rbac.authorization.k8s.io/v1"
    place.gc()  # makes the namespace of the locks where there was none
    place.kubectl.run("create", "namespace", "envctl-system")
    for obj in (
        {"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": name, "labels": labels}},
        {"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": f"{name}-stranger"}},
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {
            "name": name, "namespace": "envctl-system", "labels": labels, "annotations": kinds}},
    ):  # fmt: skip
        place.kubectl.apply(json.dumps(obj))
    try:
        found = place.gc()
        assert [(e["name"], e["kind"]) for e in found["deleted"]] == [("gone", "leftovers")]
        assert not place.kubectl.exists("clusterrole", name)
        assert place.kubectl.exists("clusterrole", f"{name}-stranger")
        assert place.gc()["deleted"] == []
    finally:
        place.kubectl.run("delete", "clusterrole", f"{name}-stranger")


def test_a_strangers_namespace_of_the_same_name(place: Place) -> None:
    """gc waits to see whether a run is dead; meanwhile the namespace becomes somebody else's."""
    name = place.put("mine")
    place.gc("--dry-run")
    place.kubectl.run("create", "namespace", "envctl-system")
    labels = {"app.kubernetes.io/managed-by": "envctl", "envctl.dev/project": place.project,
              "envctl.dev/name": "mine"}  # fmt: skip
    place.kubectl.apply(json.dumps({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": name, "namespace": "envctl-system", "labels": labels},
        "spec": {"holderIdentity": "dead", "leaseDurationSeconds": 15},
    }))  # fmt: skip
    process = place.envctl.start(
        "gc", "--context", place.node.context, "--project", place.project, "-o", "logfmt"
    )
    assert process.stderr
    while "whether a run works" not in process.stderr.readline():
        assert process.poll() is None
    place.kubectl.run("delete", "namespace", name)
    place.kubectl.run("create", "namespace", name)
    out, _ = process.communicate(timeout=120)
    try:
        assert "its namespace is another one by now" in out
        found = place.kubectl("get", "namespace", name)["metadata"]
        assert not found.get("deletionTimestamp")
        assert not found.get("annotations")
    finally:
        place.kubectl.run("delete", "namespace", name, "--wait=false")


def test_a_namespace_that_only_wears_our_labels(place: Place) -> None:
    name = place.put("mine")
    found = place.kubectl("get", "namespace", name)
    stranger = f"{place.project}.stranger".replace(".", "-")
    meta = {"name": stranger, **{k: found["metadata"][k] for k in ("labels", "annotations")}}
    place.kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": meta}))
    found = place.gc()
    assert names(found, "deleted") == ["mine"]
    assert place.kubectl.exists("namespace", stranger)


def test_extend_and_keep(place: Place) -> None:
    place.put("it", 259200 - 600, max="864000")
    first = place.run("extend", "--name", "it", "--for", "24h").json
    check_document("lifetime", first)
    assert first["result"] == "extended"
    again = place.run("extend", "--name", "it", "--for", "1h").json
    assert (again["result"], again["expiresAt"]) == ("unchanged", first["expiresAt"])
    most = place.run("extend", "--name", "it", "--for", "9999h")
    created = dt.datetime.fromisoformat(most.json["environment"]["createdAt"])
    limit = (created + dt.timedelta(days=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert most.json["expiresAt"] == limit, "never past max"
    assert "at most" in most.stderr

    for result in ("kept", "unchanged"):
        kept = place.run("keep", "--name", "it").json
        assert kept["result"] == result
        assert kept["expiresAt"] == ""
    listed = place.run("list").json["environments"][0]
    assert listed["kept"]["by"]
    for result in ("released", "unchanged"):
        assert place.run("keep", "--name", "it", "--off").json["result"] == result
    assert place.run("keep", "--name", "it", "--until", "2099-01-01").json["expiresAt"] == (
        "2099-01-02T00:00:00Z"
    )
    place.run("keep", "--name", "it", "--until", "2001-01-01", check=77)
    place.run("keep", "--name", "it", "--until", "tomorrow", check=2)
    place.run("keep", "--name", "it", "--off", "--for", "1h", check=2)
    place.run("extend", "--name", "nowhere", check=1)


def test_a_cluster_that_is_away_gives_75(place: Place, tmp_path: Path) -> None:
    config = place.kubectl("config", "view", "--raw", "--minify")
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    path = tmp_path / "away"
    path.write_text(json.dumps(config))
    done = place.run("gc", env={"KUBECONFIG": str(path)}, check=75)
    assert "does not answer" in done.stdout + done.stderr
