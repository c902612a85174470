"""Why an environment does not go: who is named, who should act, and when nobody can be blamed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import Forbidden
from envctl.model.environment import Environment
from envctl.model.objects import (
    API_SERVICE,
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    NAMESPACE,
    NODE,
    POD,
    STATEFUL_SET,
    WELL_KNOWN,
    Obj,
    Resource,
)
from envctl.workflow.stuck import stuck
from tests.unit.fakes import FakeCluster

if TYPE_CHECKING:
    from envctl.model.result import StuckObject

NS = "shop-fix"
ENVIRONMENT = Environment("shop", "fix", NS)
ROLE = WELL_KNOWN["rbac.authorization.k8s.io/v1", "ClusterRole"]
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


class World:
    """A namespace that is being deleted."""

    def __init__(self, *conditions: tuple[str, str], finalizers: tuple[str, ...] = ()) -> None:
        self.cluster = FakeCluster()
        found = [{"type": kind, "status": "True", "message": text} for kind, text in conditions]
        self.uid = self.put(
            NAMESPACE, NS, {**GOING, "finalizers": list(finalizers)}, status={"conditions": found}
        )["metadata"]["uid"]

    def put(self, resource: Resource, name: str, meta: Obj | None = None, **rest: Any) -> Obj:
        around = {"namespace": NS} if resource.namespaced else {}
        return self.cluster.put(
            resource, {"metadata": {"name": name, **around, **(meta or {})}, **rest}
        )

    def hold(self, name: str = "held", finalizer: str = "acme.io/x") -> None:
        self.put(CONFIG_MAP, name, {**GOING, "finalizers": [finalizer]})

    def refuse(self, verb: str, kind: str) -> None:
        def before(asked: str, what: str) -> None:
            if asked == verb and what.startswith(f"{kind}/"):
                raise Forbidden(f"You may not {verb} {kind}.")

        self.cluster.before = before

    def words(self, uid: str = "", *kinds: Resource) -> list[StuckObject]:
        return asyncio.run(stuck(self.cluster, ENVIRONMENT, uid or self.uid, kinds))


def names(found: list[StuckObject]) -> list[str]:
    return [one.object for one in found]


def test_what_a_finalizer_holds_is_named_with_whoever_should_act() -> None:
    world = World()
    world.hold()
    (one,) = world.words()
    assert (one.object, one.finalizers) == ("ConfigMap/held", ("acme.io/x",))
    assert "no workload of the cluster is called like it" in one.controller
    assert "envctl down --force" in one.next


@pytest.mark.parametrize(("ready", "state"), [(1, "it runs"), (0, "it does not run")])
def test_a_controller_that_is_there_is_named_with_its_state(ready: int, state: str) -> None:
    world = World()
    world.hold()
    world.put(DEPLOYMENT, "acme-operator", {"namespace": "acme-system"},
              spec={"replicas": 1}, status={"readyReplicas": ready})  # fmt: skip
    (one,) = world.words()
    assert f"{state}: Deployment/acme-operator in acme-system ({ready} of 1 ready)" in (
        one.controller
    )


@pytest.mark.parametrize("resource", [STATEFUL_SET, DAEMON_SET])
def test_a_controller_may_be_of_any_kind_that_stays(resource: Resource) -> None:
    world = World()
    world.hold()
    world.put(resource, "acme", {"namespace": "acme-system"},
              status={"numberReady": 1, "desiredNumberScheduled": 2})  # fmt: skip
    (one,) = world.words()
    assert f"{resource.kind}/acme in acme-system (1 of 2 ready)" in one.controller


def test_who_may_not_look_for_the_controller_says_nothing_of_it() -> None:
    world = World()
    world.hold()
    world.refuse("list", "Deployment")
    (one,) = world.words()
    assert "no workload" not in one.controller
    assert "See whether the controller of acme.io runs" in one.next


@pytest.mark.parametrize(
    "meta",
    [{"finalizers": ["acme.io/x"]}, GOING, {**GOING, "finalizers": []}],
    ids=["not being deleted", "no finalizer", "empty"],
)
def test_what_is_not_held_is_not_named(meta: Obj) -> None:
    world = World()
    world.put(CONFIG_MAP, "c", meta)
    assert names(world.words()) == [f"Namespace/{NS}"]


def test_of_another_namespace_with_the_same_name_nothing_is_said() -> None:
    world = World(finalizers=("acme.io/x",))
    world.hold()
    assert world.words("another-uid") == []


def test_a_namespace_that_is_gone_holds_nothing() -> None:
    world = World()
    world.cluster.drop(("", "Namespace", "", NS))
    assert world.words() == []


def test_a_kind_that_may_not_be_listed_hides_no_other() -> None:
    world = World()
    world.hold()
    world.refuse("list", "Secret")
    assert names(world.words()) == ["ConfigMap/held"]


def test_outside_only_what_carries_the_environments_labels_is_named() -> None:
    world = World()
    held = {**GOING, "finalizers": ["acme.io/x"]}
    world.put(ROLE, "ours", {**held, "labels": ENVIRONMENT.labels})
    world.put(ROLE, "theirs", held)
    world.put(ROLE, "half", {**held, "labels": {"envctl.dev/name": "fix"}})
    assert names(world.words("", ROLE)) == ["ClusterRole/ours"]
    assert names(world.words("gone", ROLE)) == ["ClusterRole/ours"], "also when it is gone"


def test_the_namespaces_own_finalizer_is_named() -> None:
    world = World(finalizers=("acme.io/tenant",))
    assert [(o.object, o.finalizers) for o in world.words()] == [
        (f"Namespace/{NS}", ("acme.io/tenant",))
    ]


def a_pod(world: World, meta: Obj | None = None, node: str = "n1") -> None:
    world.put(POD, "p", GOING if meta is None else meta, spec={"nodeName": node})


@pytest.mark.parametrize(
    ("status", "words"),
    [("Unknown", "which does not answer"), ("False", "which does not answer"),
     (None, "which is not there any more"), ("True", "")],
)  # fmt: skip
def test_a_pod_on_a_silent_node(status: str | None, words: str) -> None:
    world = World()
    a_pod(world)
    if status:
        world.put(NODE, "n1", status={"conditions": [{"type": "Ready", "status": status}]})
    (one,) = world.words()
    assert one.object == ("Pod/p" if words else f"Namespace/{NS}")
    assert words in one.controller


def test_a_pod_that_stays_or_has_no_node_yet_is_not_the_nodes_fault() -> None:
    world = World()
    a_pod(world, {})
    world.put(POD, "q", GOING, spec={})
    assert names(world.words()) == [f"Namespace/{NS}"]


def test_who_may_not_look_at_nodes_blames_none() -> None:
    world = World()
    a_pod(world)
    world.refuse("get", "Node")
    assert names(world.words()) == [f"Namespace/{NS}"]


CONTENT = ("NamespaceDeletionContentFailure", 'admission webhook "w" denied the request')
DISCOVERY = ("NamespaceDeletionDiscoveryFailure", "unable to retrieve metrics.k8s.io/v1beta1")


def test_what_refuses_the_deletion_is_told_and_is_not_what_force_is_for() -> None:
    (one,) = World(CONTENT).words()
    assert CONTENT[1] in one.controller
    assert "--force` does not get past it" in one.next


def test_an_api_that_cannot_be_listed_is_told() -> None:
    (one,) = World(DISCOVERY).words()
    assert DISCOVERY[1] in one.controller
    assert "kubectl get apiservices" in one.next


@pytest.mark.parametrize("condition", [CONTENT, DISCOVERY])
def test_a_dead_api_is_the_culprit_where_there_is_one(condition: tuple[str, str]) -> None:
    world = World(condition)
    down = {"conditions": [{"type": "Available", "status": "False", "message": "no endpoints"}]}
    up = {"conditions": [{"type": "Available", "status": "True"}]}
    spec = {"service": {"name": "metrics", "namespace": "monitoring"}}
    world.put(API_SERVICE, "v1beta1.metrics.k8s.io", spec=spec, status=down)
    world.put(API_SERVICE, "v1.apps", status=up)
    (one,) = world.words()
    assert one.object == "APIService/v1beta1.metrics.k8s.io"
    assert "no endpoints" in one.controller
    assert "Service/metrics in monitoring" in one.next


def test_without_a_failure_of_the_namespace_no_api_is_blamed() -> None:
    world = World()
    world.put(API_SERVICE, "v1beta1.metrics.k8s.io", status={})
    assert names(world.words()) == [f"Namespace/{NS}"]


def test_a_condition_that_has_passed_is_none() -> None:
    world = World()
    namespace = world.cluster.store["", "Namespace", "", NS]
    namespace["status"] = {"conditions": [{"type": CONTENT[0], "status": "False", "message": "x"}]}
    assert "does not say" in world.words()[0].controller


def test_who_may_not_list_apis_still_hears_what_the_namespace_says() -> None:
    world = World(DISCOVERY)
    world.refuse("list", "APIService")
    assert DISCOVERY[1] in world.words()[0].controller
