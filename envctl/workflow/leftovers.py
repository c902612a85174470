"""What a teardown may leave: objects outside the namespace, and those that finalizers hold."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.objects import NAMESPACE, Obj, Resource, annotations_of, uid_of
from envctl.model.readiness import conditions
from envctl.model.result import StuckObject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.environment import Environment
    from envctl.model.record import Record
    from envctl.ports.cluster import Cluster

#: On the Lease: which cluster-scoped kinds the environment has ever used.
OUTSIDE = "envctl.dev/cluster-scoped"
#: Who removes well-known finalizers; the prefix of any other names its controller.
_KEEPERS = {
    "kubernetes.io/pvc-protection": "the pvc-protection controller, once no pod uses the claim",
    "kubernetes.io/pv-protection": "the pv-protection controller, once the claim is gone",
    "foregroundDeletion": "the garbage collector, once the dependants are gone",
    "orphan": "the garbage collector",
    "service.kubernetes.io/load-balancer-cleanup": "the cloud's load balancer controller",
    "batch.kubernetes.io/job-tracking": "the job controller",
}


def dump(resources: Iterable[Resource]) -> str:
    """Cluster-scoped kinds as the Lease's annotation keeps them."""
    return ",".join(sorted({f"{r.api_version}/{r.plural}/{r.kind}" for r in resources}))


def parse(text: str) -> list[Resource]:
    """The kinds of such an annotation; what cannot be read is left out."""
    found = []
    for item in text.split(","):
        parts = item.split("/")
        if len(parts) in (3, 4):
            *group, version, plural, kind = parts
            found.append(Resource(group[0] if group else "", version, plural, kind, False))
    return found


def resources(record: Record, remembered: list[Resource]) -> list[Resource]:
    """Every cluster-scoped kind that the environment may have objects of."""
    entries = [e.resource for d in record.components.values() for e in d.entries]
    return sorted({*remembered, *(r for r in entries if not r.namespaced)})


def remembered(lease: Obj | None) -> list[Resource]:
    """What the environment's Lease says it may have outside its namespace."""
    return parse(annotations_of(lease or {}).get(OUTSIDE, ""))


async def outside(cluster: Cluster, environment: Environment, kinds: list[Resource]) -> list[str]:
    """The environment's objects outside its namespace that are still there."""
    lists = await asyncio.gather(
        *(cluster.list(kind, selector=environment.selector, metadata_only=True) for kind in kinds)
    )
    return [f"{o['kind']}/{o['metadata']['name']}" for found in lists for o in found]


async def stuck(cluster: Cluster, environment: Environment, uid: str) -> list[StuckObject]:
    """Why the namespace does not go: objects with finalizers, or a discovery that fails."""
    namespace = await cluster.get(NAMESPACE, environment.namespace)
    if namespace is None or uid_of(namespace) != uid:
        return []
    found = await _held(cluster, environment.namespace)
    found += _namespace_itself(namespace)
    return found or [
        StuckObject(
            f"Namespace/{environment.namespace}", (), "The cluster does not say what is left.",
            "Run `envctl down` again; `kubectl get namespace -o yaml` shows its conditions.",
        )
    ]  # fmt: skip


async def _held(cluster: Cluster, namespace: str) -> list[StuckObject]:
    kinds = [r for r in await cluster.namespaced_kinds() if r.kind != "Event"]
    slots = asyncio.Semaphore(16)

    async def one(resource: Resource) -> list[Obj]:
        async with slots:
            try:
                return await cluster.list(resource, namespace, metadata_only=True)
            except EnvctlError:  # a kind that may not be listed cannot be named
                return []

    lists = await asyncio.gather(*(one(resource) for resource in kinds))
    return [
        _stuck_object(obj)
        for found in lists
        for obj in found
        if obj["metadata"].get("finalizers") and obj["metadata"].get("deletionTimestamp")
    ]


def _stuck_object(obj: Obj) -> StuckObject:
    meta = obj["metadata"]
    finalizers = tuple(meta.get("finalizers") or ())
    name = f"{obj['kind']}/{meta['name']}"
    keeper = _keeper(finalizers[0])
    return StuckObject(
        name,
        finalizers,
        f"{name} has the finalizer {finalizers[0]!r}, which {keeper} should remove.",
        f"See whether {keeper} runs; if it never will again, remove the finalizer by hand: "
        f"kubectl -n {meta.get('namespace', '')} patch {obj['kind'].lower()} {meta['name']} "
        '--type=merge -p \'{"metadata":{"finalizers":null}}\'.',
    )


def _keeper(finalizer: str) -> str:
    known = _KEEPERS.get(finalizer)
    if known:
        return known
    owner = finalizer.partition("/")[0]
    return f"the controller of {owner}"


def _namespace_itself(namespace: Obj) -> list[StuckObject]:
    name = f"Namespace/{namespace['metadata']['name']}"
    found = []
    failure = conditions(namespace).get("NamespaceDeletionDiscoveryFailure", {})
    if failure.get("status") == "True":
        found.append(
            StuckObject(
                name, (), f"The API server cannot list all kinds: {failure.get('message', '')}",
                "Repair or delete the APIService that is not available: kubectl get apiservices.",
            )
        )  # fmt: skip
    own = tuple((namespace.get("spec") or {}).get("finalizers") or ())
    extra = tuple(f for f in own if f != "kubernetes")
    extra += tuple(namespace["metadata"].get("finalizers") or ())
    if extra:
        keeper = _keeper(extra[0])
        found.append(
            StuckObject(
                name, extra, f"The namespace has the finalizer {extra[0]!r}, which {keeper} "
                "should remove.", f"See whether {keeper} runs.",
            )
        )  # fmt: skip
    return found
