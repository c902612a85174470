"""``Cluster`` over ``kubernetes.aio``'s client: plain JSON in and out, no generated models.

The models cost more to import and to fill than the rest of a run; everything envctl asks is a
question about a mapping.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from envctl.adapters.kubernetes import discovery, translate
from envctl.adapters.kubernetes.library import aiohttp
from envctl.adapters.kubernetes.streams import log_query, read_log, watch_changes
from envctl.adapters.kubernetes.transport import AGENT, REQUEST_TIMEOUT, Transport
from envctl.adapters.retrying import Transient, retrying
from envctl.model import step
from envctl.model.environment import FIELD_MANAGER
from envctl.model.objects import WELL_KNOWN, Obj, Resource, uid_of
from envctl.model.shapes import mapping, mappings, sound
from envctl.ports import attempt
from envctl.ports.cluster import Conflict, NotFound, UnknownKind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from envctl.adapters.kubernetes.connect import Target
    from envctl.ports.cluster import Change, Lines, Objects

PAGE = 500
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_TYPES = {
    "merge": "application/merge-patch+json",
    "apply": "application/apply-patch+yaml",  # JSON is YAML
}


class KubernetesCluster(Transport):
    """One cluster through one credential; see ``envctl.ports.cluster.Cluster``."""

    def __init__(self, target: Target, agent: str = AGENT) -> None:
        super().__init__(target, agent)
        self._kinds: dict[tuple[str, str], Resource] | None = None
        self._discovering = asyncio.Lock()

    # Kinds

    async def resource(self, api_version: str, kind: str) -> Resource:
        """Where a kind is served; raises UnknownKind, ApiDown."""
        known = WELL_KNOWN.get((api_version, kind))
        if known:
            return known
        async with self._discovering:
            found = (self._kinds or {}).get((api_version, kind))
            if found is None:  # a CRD may have come since the last look
                self._kinds = await discovery.discover(self)
                found = self._kinds.get((api_version, kind))
        if found is None:
            await discovery.refuse_dead(self, api_version)
            raise discovery.unknown(api_version, kind, self._kinds or {})
        return found

    async def namespaced_kinds(self) -> tuple[Resource, ...]:
        """Every kind that lives in namespaces."""
        async with self._discovering:
            if self._kinds is None:
                self._kinds = await discovery.discover(self)
            return tuple(r for r in self._kinds.values() if r.namespaced)

    # Objects

    async def get(self, resource: Resource, name: str, namespace: str = "") -> Obj | None:
        """The object, or None where there is none."""
        try:
            found = await self.ask(
                "GET", resource.path(namespace, name), f"read {resource.kind}/{name}"
            )
        except NotFound:
            return None
        return sound(found, resource)

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
    ) -> Objects:
        """All objects of the kind, in pages; the kind is filled in, as lists leave it out."""
        query: dict[str, Any] = {"limit": PAGE}
        if selector:
            query["labelSelector"] = selector
        accept = _METADATA if metadata_only else "application/json"
        items: Objects = []
        while True:
            try:
                page = await self.ask(
                    "GET",
                    resource.path(namespace),
                    f"list {resource.plural}",
                    query=query,
                    accept=accept,
                )
            except translate.Expired:  # the list took longer than etcd keeps its past
                items, query = [], {k: v for k, v in query.items() if k != "continue"}
                query.pop("limit", None)
                continue
            except NotFound as error:
                raise UnknownKind(error.what, why=error.why, next=error.next) from error
            items += mappings(mapping(page).get("items"))
            token = mapping(mapping(page).get("metadata")).get("continue")
            if not token:
                break
            query["continue"] = token
        return [sound(item, resource) for item in items]

    async def create(self, resource: Resource, obj: Obj) -> Obj:
        """Create; raises AlreadyExists."""
        namespace = obj["metadata"].get("namespace", "")
        name = obj["metadata"].get("name", "")
        found = await self.ask(
            "POST",
            resource.path(namespace),
            f"create {resource.kind}/{name}",
            body=obj,
            query={"fieldManager": FIELD_MANAGER},
        )
        return sound(found, resource)

    async def replace(self, resource: Resource, obj: Obj) -> Obj:
        """Replace the version that ``obj`` was read as; raises Conflict."""
        meta = obj["metadata"]
        found = await self.ask(
            "PUT",
            resource.path(meta.get("namespace", ""), meta["name"]),
            f"update {resource.kind}/{meta['name']}",
            body=obj,
            query={"fieldManager": FIELD_MANAGER},
        )
        return sound(found, resource)

    async def apply(
        self,
        resource: Resource,
        obj: Obj,
        *,
        force: bool = False,
        dry_run: bool = False,
        manager: str = FIELD_MANAGER,
    ) -> Obj:
        """Apply server-side as a field manager; raises Conflict, Invalid."""
        meta = obj["metadata"]
        query = {"fieldManager": manager, "force": str(force).lower()}
        if dry_run:
            query["dryRun"] = "All"
        found = await self.ask(
            "PATCH",
            resource.path(meta.get("namespace", ""), meta["name"]),
            f"apply {resource.kind}/{meta['name']}",
            body=obj,
            query=query,
            content=_TYPES["apply"],
        )
        return sound(found, resource)

    async def patch(self, resource: Resource, name: str, namespace: str, patch: Obj) -> Obj:
        """Merge-patch; with ``metadata.uid`` or ``resourceVersion`` in it as precondition."""
        found = await self.ask(
            "PATCH",
            resource.path(namespace, name),
            f"update {resource.kind}/{name}",
            body=patch,
            query={"fieldManager": FIELD_MANAGER},
            content=_TYPES["merge"],
        )
        return sound(found, resource)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        uid: str,
        version: str = "",
        grace: int | None = None,
    ) -> bool:
        """Delete exactly the object with this UID, and in this version, where one is named.

        False where it is gone, or another, or changed by now.
        """
        body: Obj = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, **({"resourceVersion": version} if version else {})},
            "propagationPolicy": "Background",
        }
        if grace is not None:
            body["gracePeriodSeconds"] = grace

        async def once() -> bool:
            doing = f"delete {resource.kind}/{name}"
            try:
                await self.ask("DELETE", resource.path(namespace, name), doing, body=body)
            except NotFound:
                return False
            except Conflict as error:
                # The UID is another's, which is then not ours to delete, or it is going already;
                # anything else was a conflict inside the server.
                live = await self.get(resource, name, namespace)
                if live and uid_of(live) == uid and "deletionTimestamp" not in live["metadata"]:
                    raise Transient(error.what, why=error.why, next=error.next) from error
                return False
            return True

        return await retrying(step.API, once)

    async def call(self, method: str, path: str, body: Obj | None = None) -> Any:
        """One plain request to a path without a resource."""
        return await self.ask(method, path, f"answer {path}", body=body)

    # Streams

    def watch(
        self, resource: Resource, namespace: str = "", name: str = "", *, since: str = ""
    ) -> AsyncIterator[Change]:
        """Every change, for ever; all objects first as ADDED, unless ``since`` is given."""
        return watch_changes(self, resource, namespace, name, since)

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        tail: int | None = None,
        previous: bool = False,
    ) -> Lines:
        """The last lines of a container, oldest first; empty where there are none."""
        query = log_query(container, tail=tail, previous=previous)
        limit = aiohttp.ClientTimeout(total=attempt.remaining(REQUEST_TIMEOUT), sock_connect=10)
        return [line async for line in read_log(self, namespace, pod, query, limit)]

    def follow(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        tail: int | None = None,
        since: float | None = None,
        follow: bool = True,
        previous: bool = False,
        timestamps: bool = False,
    ) -> AsyncGenerator[str]:
        """A container's lines as they come; ends with the container or the connection."""
        query = log_query(
            container, tail=tail, since=since, follow=follow, previous=previous,
            timestamps=timestamps,
        )  # fmt: skip
        # A log that is followed may be silent for hours, one that is read may not.
        limit = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=None if follow else 30)
        return read_log(self, namespace, pod, query, limit)
