"""Waits until an object is gone, without a moment between looking and watching to miss it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.objects import NAMESPACE, Obj, uid_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from envctl.model.objects import Resource
    from envctl.ports.cluster import Cluster


async def until_gone(
    cluster: Cluster,
    resource: Resource,
    name: str,
    namespace: str,
    uid: str,
    seen: Callable[[Obj], None] | None = None,
) -> None:
    """Return when no object of this name has this UID; ``seen`` is shown each of its changes."""
    while True:
        live = await cluster.get(resource, name, namespace)
        if live is None or uid_of(live) != uid:
            return
        if seen:
            seen(live)
        version = live["metadata"].get("resourceVersion", "")
        async for change in cluster.watch(resource, namespace, name, since=version):
            if change.type == "DELETED" and uid_of(change.object) == uid:
                return
            if change.type == "RESYNC" or uid_of(change.object) != uid:
                break  # look again: what happened in between is not known
            if seen:
                seen(change.object)


async def vanished(cluster: Cluster, uids: dict[str, str]) -> AsyncIterator[str]:
    """The name of each namespace of ``uids`` as soon as none of its UID is there any more.

    One watch for all of them. What went before it began is found by listing once it has.
    """
    left, listed = dict(uids), False
    changes = cluster.watch(NAMESPACE)
    async for change in changes:
        if not listed or change.type == "RESYNC":
            listed = True
            found = await cluster.list(NAMESPACE, metadata_only=True)
            there = {live["metadata"]["name"]: uid_of(live) for live in found}
            for name in [name for name, uid in left.items() if there.get(name) != uid]:
                del left[name]
                yield name
        if change.type == "DELETED":
            name = change.object["metadata"]["name"]
            if left.get(name) == uid_of(change.object):
                del left[name]
                yield name
        if not left:
            return
