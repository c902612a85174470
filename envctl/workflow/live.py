"""One look at everything that a record lists, as it is in the cluster now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from envctl.errors import Forbidden
from envctl.model.objects import Key, Obj, Resource, key_of
from envctl.ports.cluster import UnknownKind

if TYPE_CHECKING:
    from envctl.model.record import Record
    from envctl.ports.cluster import Cluster

Live = dict[Key, Obj]


async def look(
    cluster: Cluster, record: Record, namespace: str, hidden: set[Resource] | None = None
) -> Live:
    """The live objects of every kind in the record, one list request a kind.

    With ``hidden``, kinds that this credential may not read are added to it; else one of them
    raises Forbidden.
    """
    entries = [e for d in record.components.values() for e in d.entries]
    inside = {e.resource for e in entries if e.resource.namespaced}
    outside = {(e.resource, e.name) for e in entries if not e.resource.namespaced}
    lists = await asyncio.gather(*(_list(cluster, r, namespace, hidden) for r in sorted(inside)))
    gets = await asyncio.gather(*(_get(cluster, r, name, hidden) for r, name in sorted(outside)))
    found = [obj for items in lists for obj in items] + [obj for obj in gets if obj]
    return {key_of(obj): obj for obj in found}


async def _list(
    cluster: Cluster, resource: Resource, namespace: str, hidden: set[Resource] | None
) -> list[Obj]:
    """Where the kind's definition was deleted, its objects went with it."""
    try:
        return await cluster.list(resource, namespace)
    except UnknownKind:
        return []
    except Forbidden:
        if hidden is None:
            raise
        hidden.add(resource)
        return []


async def _get(
    cluster: Cluster, resource: Resource, name: str, hidden: set[Resource] | None
) -> Obj | None:
    try:
        return await cluster.get(resource, name)
    except Forbidden:
        if hidden is None:
            raise
        hidden.add(resource)
        return None
