"""Why a namespace does not go: what finalizers hold, silent nodes, dead APIs; who should act."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import apiservices, held
from envctl.model.held import Workload
from envctl.model.objects import (
    API_SERVICE,
    DAEMON_SET,
    DEPLOYMENT,
    NAMESPACE,
    NODE,
    POD,
    STATEFUL_SET,
    Obj,
    Resource,
    uid_of,
)
from envctl.model.readiness import conditions, is_true
from envctl.model.result import StuckObject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.environment import Environment
    from envctl.ports.cluster import Cluster

#: Conditions of a namespace that say what its controller could not do.
_FAILURES = (
    "NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
)  # fmt: skip
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Held:
    """An object that is being deleted and does not go."""

    resource: Resource
    obj: Obj


async def stuck(
    cluster: Cluster, environment: Environment, uid: str, kinds: Sequence[Resource] = ()
) -> list[StuckObject]:
    """Why the environment does not go; ``kinds`` are the cluster-scoped ones it may have."""
    namespace = await cluster.get(NAMESPACE, environment.namespace)
    there = namespace is not None and uid_of(namespace) == uid
    holding = await inside(cluster, environment.namespace) if there else []
    holding += await outside(cluster, environment, kinds)
    pods = await silent(cluster, environment.namespace) if there else []
    if there and namespace is not None and held.removable(namespace):
        holding.append(Held(NAMESPACE, {**namespace, "kind": "Namespace"}))
    found = [held.stuck_pod(pod, node_is_gone=gone) for pod, gone in pods]
    found += [await _explained(cluster, one.obj) for one in holding]
    if there and namespace is not None:
        found += await _failures(cluster, namespace)
    if found or not there:
        return found
    return [
        StuckObject(
            f"Namespace/{environment.namespace}", (), "The cluster does not say what is left.",
            "Run `envctl down` again; `kubectl get namespace -o yaml` shows its conditions.",
        )
    ]  # fmt: skip


async def inside(cluster: Cluster, namespace: str) -> list[Held]:
    """The objects of a namespace that are being deleted and have finalizers."""
    kinds = [r for r in await cluster.namespaced_kinds() if r.kind != "Event"]
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(resource: Resource) -> list[Obj]:
        async with slots:
            return await _list(cluster, resource, namespace)

    lists = await asyncio.gather(*(one(resource) for resource in kinds))
    return [
        Held(resource, obj)
        for resource, found in zip(kinds, lists, strict=True)
        for obj in found
        if _is_held(obj)
    ]


async def outside(
    cluster: Cluster, environment: Environment, kinds: Sequence[Resource]
) -> list[Held]:
    """The environment's own objects outside its namespace that are held like this."""
    lists = [await _list(cluster, kind, "", environment.selector) for kind in kinds]
    return [
        Held(resource, obj)
        for resource, found in zip(kinds, lists, strict=True)
        for obj in found
        if _is_held(obj)
    ]


async def silent(cluster: Cluster, namespace: str) -> list[tuple[Obj, bool]]:
    """Pods that are to end on a node that does not answer, and whether the node is gone."""
    found = []
    nodes: dict[str, Obj | None] = {}
    for pod in await cluster.list(POD, namespace):
        node = (pod.get("spec") or {}).get("nodeName")
        if not node or not pod["metadata"].get("deletionTimestamp"):
            continue
        try:
            if node not in nodes:
                nodes[node] = await cluster.get(NODE, node)
        except EnvctlError:  # who may not look at nodes cannot blame one
            return []
        live = nodes[node]
        if live is None or not is_true(live, "Ready"):
            found.append((pod, live is None))
    return found


def _is_held(obj: Obj) -> bool:
    meta = obj["metadata"]
    return bool(meta.get("finalizers") and meta.get("deletionTimestamp"))


async def _list(
    cluster: Cluster, resource: Resource, namespace: str, selector: str = ""
) -> list[Obj]:
    """A kind that may not be listed cannot be named."""
    try:
        return await cluster.list(resource, namespace, selector=selector, metadata_only=True)
    except EnvctlError:
        return []


async def _explained(cluster: Cluster, obj: Obj) -> StuckObject:
    first = next(iter(held.removable(obj)), "")
    names = held.words(obj, first)
    if not first or not names:
        return held.stuck_object(obj, [], asked=False)
    try:
        found = await _controllers(cluster, names)
    except EnvctlError:
        return held.stuck_object(obj, [], asked=False)
    return held.stuck_object(obj, found, asked=True)


async def _controllers(cluster: Cluster, names: frozenset[str]) -> list[Workload]:
    """Workloads of the whole cluster that are called like a finalizer's controller."""
    found = []
    for resource in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET):
        for obj in await cluster.list(resource, metadata_only=True):
            if held.is_called(obj, names):
                meta = obj["metadata"]
                live = await cluster.get(resource, meta["name"], meta["namespace"])
                found.append(_workload(resource.kind, live or obj))
    return sorted(found, key=lambda one: one.ready)


def _workload(kind: str, live: Obj) -> Workload:
    meta, status = live["metadata"], live.get("status") or {}
    wanted = (live.get("spec") or {}).get("replicas", status.get("desiredNumberScheduled", 0))
    ready = status.get("readyReplicas", status.get("numberReady", 0))
    return Workload(kind, meta.get("namespace", ""), meta["name"], ready, wanted)


async def _failures(cluster: Cluster, namespace: Obj) -> list[StuckObject]:
    """What the namespace's own controller says that it could not do."""
    name = f"Namespace/{namespace['metadata']['name']}"
    said = {
        kind: str(condition.get("message", ""))
        for kind, condition in conditions(namespace).items()
        if kind in _FAILURES and condition.get("status") == "True"
    }
    if not said:
        return []
    dead = await _dead_apis(cluster)
    if dead:
        return dead
    text = next(iter(said.values()))
    if _FAILURES[2] in said:
        return [
            StuckObject(
                name, (), f"Its content cannot be deleted: {said[_FAILURES[2]]}",
                "Correct what refuses the deletion, an admission webhook or policy as a rule; "
                "`envctl down --force` does not get past it.",
            )
        ]  # fmt: skip
    return [
        StuckObject(
            name, (), f"The API server cannot list all kinds: {text}",
            "Repair or delete the APIService that is not available: kubectl get apiservices.",
        )
    ]  # fmt: skip


async def _dead_apis(cluster: Cluster) -> list[StuckObject]:
    try:
        found = await cluster.list(API_SERVICE)
    except EnvctlError:
        return []
    return [_dead_api(obj) for obj in found if apiservices.is_dead(obj)]


def _dead_api(obj: Obj) -> StuckObject:
    name = f"APIService/{obj['metadata']['name']}"
    return StuckObject(
        name, (),
        f"{name} is not available, so that no namespace of the cluster can be deleted: "
        f"{apiservices.why(obj)}",
        f"Start what serves it ({apiservices.behind(obj)}), or have an administrator delete it: "
        f"kubectl delete apiservice {obj['metadata']['name']}. `envctl down --force` does not "
        "touch it: it is the whole cluster's.",
    )  # fmt: skip
