"""The one place through which every write to an environment goes (laws 2 and 3).

Before each write the lock is asked whether this run still holds it; every object gets the
environment's labels and stays in its namespace; every delete names the UID it was decided on.
A write that has begun is finished even when the run is cancelled, so that no half-known state is
left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from envctl.errors import Refused
from envctl.model.environment import COMPONENT, NAME, PROJECT, Environment
from envctl.model.objects import NAMESPACE, Obj, Resource, annotations_of, labels_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from envctl.ports.cluster import Cluster
    from envctl.ports.fence import Fence

T = TypeVar("T")
#: Seconds a write in flight gets to end after the run was cancelled.
FINISH = 10.0
#: Times that something is looked at again because somebody changed it in between.
LOOKS = 5


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work`` and, when cancelled meanwhile, let it end before the cancellation goes on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            with contextlib.suppress(Exception):
                await asyncio.wait({task}, timeout=FINISH)
        task.cancel()
        raise


@dataclass(slots=True)
class Writer:
    """Writes to one environment while the fence lets it."""

    cluster: Cluster
    environment: Environment
    fence: Fence
    writes: int = 0

    def claim(self, obj: Obj, resource: Resource, component: str = "") -> Obj:
        """The object with this environment's labels, in its namespace; raises Refused."""
        claimed = deepcopy(obj)
        meta = claimed["metadata"]
        namespace = meta.get("namespace", "")
        if resource.namespaced and namespace not in ("", self.environment.namespace):
            raise Refused(
                f"{obj['kind']}/{meta['name']} names the namespace {namespace!r}.",
                why=f"This environment's is {self.environment.namespace!r}, and a component "
                "cannot reach outside it.",
                next="Remove metadata.namespace from the object.",
            )
        if resource.namespaced:
            meta["namespace"] = self.environment.namespace
        labels = {PROJECT: self.environment.project, NAME: self.environment.name}
        if not resource.namespaced:
            labels = self.environment.labels
        if component:
            labels[COMPONENT] = component
        meta["labels"] = {**(meta.get("labels") or {}), **labels}
        claimed.pop("status", None)
        return claimed

    def owns(self, live: Obj) -> bool:
        """Whether an object outside the namespace is this environment's: by label or Helm's note.

        The record is not asked: it lies in the environment, where a merge request could write it.
        """
        helm = annotations_of(live).get("meta.helm.sh/release-namespace")
        return helm == self.environment.namespace or self.environment.owns(labels_of(live))

    async def apply(self, resource: Resource, obj: Obj, *, force: bool = False) -> Obj:
        """Server-side apply of a claimed object."""
        await self.fence.check()
        self.writes += 1
        return await finished(self.cluster.apply(resource, obj, force=force))

    async def create(self, resource: Resource, obj: Obj) -> Obj:
        """Create; raises AlreadyExists."""
        await self.fence.check()
        self.writes += 1
        return await finished(self.cluster.create(resource, obj))

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        uid: str,
        version: str = "",
        grace: int | None = None,
    ) -> bool:
        """Delete the object with exactly this UID in the environment; False where it is gone.

        With ``version`` only in exactly this version, for what its labels alone say that it is the
        environment's; False where it was changed in between, so that it has to be looked at again.
        """
        await self.fence.check()
        self.writes += 1
        namespace = self.environment.namespace if resource.namespaced else ""
        return await finished(
            self.cluster.delete(resource, name, namespace, uid=uid, version=version, grace=grace)
        )

    async def delete_owned(
        self, resource: Resource, find: Callable[[], Awaitable[list[Obj]]]
    ) -> list[str]:
        """Delete what ``find`` says is the environment's now, in the version it was seen in.

        The names of what was deleted. What was changed in between is looked for again: somebody
        may have made it their own.
        """
        deleted: list[str] = []
        for _ in range(LOOKS):
            found = [o for o in await find() if not o["metadata"].get("deletionTimestamp")]
            for obj in found:
                meta = obj["metadata"]
                if await self.delete(
                    resource, meta["name"], uid=uid_of(obj), version=meta["resourceVersion"]
                ):
                    deleted.append(meta["name"])
            if not found:
                break
        return deleted

    async def patch(self, resource: Resource, name: str, patch: Obj) -> Obj:
        """Merge-patch an object of the environment."""
        await self.fence.check()
        self.writes += 1
        namespace = self.environment.namespace if resource.namespaced else ""
        return await finished(self.cluster.patch(resource, name, namespace, patch))

    async def annotate(self, uid: str, annotations: dict[str, str | None]) -> Obj:
        """Change annotations of the namespace, if it still is the one with ``uid``."""
        return await self.patch(
            NAMESPACE,
            self.environment.namespace,
            {"metadata": {"uid": uid, "annotations": annotations}},
        )
