"""`--force`, call by call: what it lets go, by which UID, and what it never touches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from envctl.errors import EnvctlError, Superseded
from envctl.model.environment import Environment
from envctl.model.objects import CONFIG_MAP, NAMESPACE, NODE, POD, WELL_KNOWN, Obj, Resource
from envctl.ports.cluster import Conflict
from envctl.workflow.forcing import force
from envctl.workflow.writer import Writer
from tests.unit.fakes import FakeCluster
from tests.unit.virtual import virtually

NS = "shop-fix"
ENVIRONMENT = Environment("shop", "fix", NS)
ROLE = WELL_KNOWN["rbac.authorization.k8s.io/v1", "ClusterRole"]
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
HELD = {**GOING, "finalizers": ["acme.io/x"]}


class Open:
    """A fence that lets everything through."""

    async def check(self) -> None:
        pass


class World:
    """A namespace and what is in and around it; ``said`` is what the step noted."""

    def __init__(self, meta: Obj = GOING) -> None:
        self.cluster = FakeCluster()
        self.said: list[str] = []
        self.uid = self.put(NAMESPACE, NS, dict(meta))["metadata"]["uid"]
        self.put(CONFIG_MAP, "stays", {"finalizers": ["acme.io/x"]})  # so that it does not go

    def put(self, resource: Resource, name: str, meta: Obj | None = None, **rest: Any) -> Obj:
        around = {"namespace": NS} if resource.namespaced else {}
        return self.cluster.put(
            resource, {"metadata": {"name": name, **around, **(meta or {})}, **rest}
        )

    def force(self, uid: str = "", *kinds: Resource) -> list[tuple[str, str]]:
        """Use force once; what was written."""
        context: Any = SimpleNamespace(note=lambda _, message, **__: self.said.append(message))
        self.cluster.calls.clear()
        writer = Writer(self.cluster, ENVIRONMENT, Open())
        virtually(force(context, writer, uid or self.uid, kinds))
        return self.cluster.writes


def test_what_is_held_goes_and_what_is_not_being_deleted_stays() -> None:
    world = World()
    world.put(CONFIG_MAP, "held", HELD)
    assert world.force() == [("patch", "ConfigMap/held")]
    assert ("", "ConfigMap", NS, "held") not in world.cluster.store
    assert world.said == ["forced: took the finalizer 'acme.io/x' off ConfigMap/held"]


def test_of_several_finalizers_the_control_planes_own_stay() -> None:
    world = World()
    mixed = ["kubernetes.io/pvc-protection", "acme.io/x", "foregroundDeletion", "b.io/y"]
    world.put(CONFIG_MAP, "held", {**GOING, "finalizers": mixed})
    world.force()
    left = world.cluster.store["", "ConfigMap", NS, "held"]["metadata"]["finalizers"]
    assert left == ["kubernetes.io/pvc-protection", "foregroundDeletion"]
    assert "'acme.io/x', 'b.io/y'" in world.said[0]


def test_in_a_namespace_that_is_another_one_by_now_nothing_is_touched() -> None:
    world = World({**GOING, "finalizers": ["acme.io/tenant"]})
    world.put(CONFIG_MAP, "held", HELD)
    world.put(POD, "p", GOING, spec={"nodeName": "gone"})
    assert world.force("another-uid") == []


def test_outside_only_the_environments_own_is_touched() -> None:
    world = World()
    world.put(ROLE, "ours", {**HELD, "labels": ENVIRONMENT.labels})
    world.put(ROLE, "theirs", {**HELD, "labels": {**ENVIRONMENT.labels, "envctl.dev/name": "x"}})
    world.put(ROLE, "live", {"finalizers": ["acme.io/x"], "labels": ENVIRONMENT.labels})
    assert world.force("", ROLE) == [("patch", "ClusterRole/ours")]
    world.put(ROLE, "ours", {**HELD, "labels": ENVIRONMENT.labels})
    world.cluster.drop(("", "Namespace", "", NS))
    assert world.force("", ROLE) == [("patch", "ClusterRole/ours")], "also without a namespace"


def test_a_server_that_answers_with_more_than_was_asked_for_changes_nothing() -> None:
    """Law 3 does not rest on the selector of a list."""
    world = World()
    world.put(ROLE, "theirs", HELD)
    listed = FakeCluster.list

    async def everything(self: Any, resource: Any, namespace: str = "", **_: Any) -> list[Obj]:
        del namespace
        return await listed(self, resource)

    world.put(CONFIG_MAP, "far", {**HELD, "namespace": "other"})
    world.cluster.list = everything.__get__(world.cluster)  # type: ignore[method-assign]
    assert world.force("", ROLE) == []


@pytest.mark.parametrize(
    ("meta", "writes"),
    [
        ({**GOING, "finalizers": ["acme.io/tenant"]}, [("patch", f"Namespace/{NS}")]),
        ({"finalizers": ["acme.io/tenant"]}, []),
        (GOING, []),
    ],
)
def test_the_namespaces_own_finalizer_goes_once_it_is_being_deleted(
    meta: Obj, writes: list[tuple[str, str]]
) -> None:
    labelled = {**meta, "labels": ENVIRONMENT.labels}
    assert World(labelled).force() == writes


def test_a_namespace_without_the_environments_labels_keeps_its_finalizer() -> None:
    assert World({**GOING, "finalizers": ["acme.io/tenant"]}).force() == []


@pytest.mark.parametrize(("ready", "ended"), [("True", False), ("Unknown", True), (None, True)])
def test_a_pod_is_ended_only_where_its_node_is_silent(ready: str | None, ended: bool) -> None:
    world = World()
    world.put(POD, "p", GOING, spec={"nodeName": "n1"})
    if ready:
        world.put(NODE, "n1", status={"conditions": [{"type": "Ready", "status": ready}]})
    graces: list[int | None] = []
    deleted = FakeCluster.delete

    async def delete(self: Any, *args: Any, grace: int | None = None, **rest: Any) -> bool:
        graces.append(grace)
        return await deleted(self, *args, grace=grace, **rest)

    world.cluster.delete = delete.__get__(world.cluster)  # type: ignore[method-assign]
    world.force()
    assert graces == ([0] if ended else [])
    assert (("", "Pod", NS, "p") in world.cluster.store) is not ended
    assert bool(world.said) is ended


def test_what_changed_since_it_was_looked_at_is_left_for_the_next_look() -> None:
    world = World()
    world.put(CONFIG_MAP, "a", HELD)
    world.put(CONFIG_MAP, "b", HELD)

    def before(verb: str, what: str) -> None:
        if (verb, what) == ("patch", "ConfigMap/a"):
            world.put(CONFIG_MAP, "a", HELD)

    world.cluster.before = before
    world.force()
    assert ("", "ConfigMap", NS, "a") in world.cluster.store
    assert ("", "ConfigMap", NS, "b") not in world.cluster.store
    assert "ConfigMap/a could not be let go" in world.said[0]


@pytest.mark.parametrize("error", [Conflict("it changed"), EnvctlError("a policy refuses")])
def test_what_may_not_be_let_go_is_said_and_stops_nothing(error: EnvctlError) -> None:
    world = World()
    world.put(CONFIG_MAP, "held", HELD)

    def before(verb: str, what: str) -> None:
        del what
        if verb == "patch":
            raise error

    world.cluster.before = before
    world.force()
    assert world.said == [f"ConfigMap/held could not be let go: {error}"]


def test_a_run_that_was_superseded_uses_no_more_force() -> None:
    world = World()
    for name in ("a", "b"):
        world.put(CONFIG_MAP, name, HELD)

    def before(verb: str, what: str) -> None:
        del what
        if verb == "patch":
            raise Superseded("Pipeline 9 has taken over.")

    world.cluster.before = before
    with pytest.raises(Superseded):
        world.force()
    assert world.said == []
