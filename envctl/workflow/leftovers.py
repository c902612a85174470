"""What a teardown may leave outside the namespace, and where that is remembered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from envctl.model.objects import Obj, Resource, annotations_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.environment import Environment
    from envctl.model.record import Record
    from envctl.ports.cluster import Cluster

#: On the Lease: which cluster-scoped kinds the environment has ever used.
OUTSIDE = "envctl.dev/cluster-scoped"


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
