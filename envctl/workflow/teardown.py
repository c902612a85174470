"""The steps of a teardown: what runs first, what is deleted, and the proof that it is gone (law 4).

Helm's delete hooks run while the application still does; objects outside the namespace go; then the
namespace, and with it, at once, its pods, since in a namespace that is going nothing can make new
ones.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast

from envctl.errors import EnvctlError, Forbidden, Refused
from envctl.model import helm
from envctl.model.environment import PHASE, Environment, Phase
from envctl.model.events import Waiting
from envctl.model.objects import (
    NAMESPACE,
    POD,
    PVC,
    SECRET,
    Obj,
    Resource,
    annotations_of,
    labels_of,
    uid_of,
)
from envctl.model.step import RetryPolicy, Step
from envctl.ports.cluster import Conflict
from envctl.workflow import granting, leftovers
from envctl.workflow.proving import Proof
from envctl.workflow.writer import LOOKS

if TYPE_CHECKING:
    from envctl.model.record import Record
    from envctl.model.result import StuckObject
    from envctl.ports.cluster import Cluster
    from envctl.ports.sources import Releases
    from envctl.workflow.engine import Engine, StepContext, Work
    from envctl.workflow.lock import Lock
    from envctl.workflow.session import World
    from envctl.workflow.writer import Writer

STEP = RetryPolicy("step", attempts=3, first=2.0, cap=15.0)
#: Seconds that all delete hooks together may take.
HOOKS_TIMEOUT = 120.0
#: Seconds a pod gets to end: nobody is to be served any more.
POD_GRACE = 1


@dataclass(slots=True)
class Down:
    """One teardown."""

    world: World
    environment: Environment
    engine: Engine
    lock: Lock
    writer: Writer
    namespace: Obj
    record: Record
    timeout: float
    volumes: list[str] = field(default_factory=list)
    kinds: list[Resource] = field(default_factory=list)
    stuck: list[StuckObject] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    force: bool = False

    @property
    def cluster(self) -> Cluster:
        """The cluster that is worked on."""
        return self.world.cluster

    @property
    def going(self) -> bool:
        """Whether the namespace is being deleted already."""
        return bool(self.namespace["metadata"].get("deletionTimestamp"))

    def works(self) -> list[tuple[Step, Work]]:
        """The steps, one after the other."""
        return [*self.deletion(), *self.proof()]

    def deletion(self) -> list[tuple[Step, Work]]:
        """The steps after which everything is on its way out."""
        return [
            (Step("uninstall", HOOKS_TIMEOUT + 30, (), STEP), self._uninstall),
            (Step("delete", 60.0, ("uninstall",), STEP), self._delete),
        ]

    def proof(self) -> list[tuple[Step, Work]]:
        """The step that ends when it is gone, or says what is stuck."""
        return [(Step("prove", self.timeout, ("delete",), STEP), self._prove)]

    async def _uninstall(self, context: StepContext) -> bool:
        """Run delete hooks; a hook that fails is said, and does not keep the environment."""
        if self.going:
            return False
        if annotations_of(self.namespace).get(PHASE) != Phase.DELETING:
            self.namespace = await self.writer.annotate(
                uid_of(self.namespace), {PHASE: str(Phase.DELETING)}
            )
        try:
            secrets = await self._releases()
        except Forbidden:  # made by a run that was killed before it bound the roles
            if not await granting.grant(self.writer):
                raise
            secrets = await self._releases()
        hooked = [release.name for release in helm.newest(secrets) if release.has_delete_hooks]
        releases = cast("Releases", self.world.sources["helm"])

        async def one(name: str) -> None:
            await self.lock.check()
            if not await self._still_the_same():
                return
            try:
                await releases.uninstall(name, self.environment.namespace, HOOKS_TIMEOUT)
            except EnvctlError as error:
                context.note("warning", f"the delete hooks of release {name} failed: {error}")

        if hooked:
            context.progress("running delete hooks", [Waiting(f"Release/{n}", "") for n in hooked])
            await asyncio.gather(*(one(name) for name in hooked))
        return bool(hooked)

    async def _releases(self) -> list[Obj]:
        return await self.cluster.list(SECRET, self.environment.namespace, selector=helm.SELECTOR)

    async def _delete(self, context: StepContext) -> bool:
        context.progress("deleting")
        claims = await self._listed(PVC)
        self.volumes = [v for c in claims if (v := (c.get("spec") or {}).get("volumeName"))]
        await self._delete_outside(context)
        await self._delete_namespace()
        pods = await self._listed(POD)
        slots = asyncio.Semaphore(24)

        async def end(resource: Resource, obj: Obj, grace: int | None = None) -> None:
            async with slots:
                name = obj["metadata"]["name"]
                await self.writer.delete(resource, name, uid=uid_of(obj), grace=grace)

        # The namespace's controller looks every 5 s, for claims only once it sees no more pods:
        # those that are on their way by then spare a round.
        await asyncio.gather(
            *(end(POD, pod, POD_GRACE) for pod in pods), *(end(PVC, claim) for claim in claims)
        )
        return True

    async def _delete_namespace(self) -> None:
        """Delete it as it was judged; changed in between, it is judged anew."""
        name, uid = self.environment.namespace, uid_of(self.namespace)
        for _ in range(LOOKS):
            version = self.namespace["metadata"]["resourceVersion"]
            if self.going or await self.writer.delete(NAMESPACE, name, uid=uid, version=version):
                return
            live = await self.cluster.get(NAMESPACE, name)
            if live is None or uid_of(live) != uid:
                return  # gone, and its name may be another's by now
            refuse_strangers(self.environment, live)
            self.namespace = live
        raise Conflict(f"The namespace {name!r} was changed at every attempt to delete it.")

    async def _still_the_same(self) -> bool:
        """Whether the namespace of this name is the one that this teardown was decided on."""
        live = await self.cluster.get(NAMESPACE, self.environment.namespace)
        return uid_of(live or {}) == uid_of(self.namespace)

    async def _listed(self, resource: Resource) -> list[Obj]:
        """What is in the namespace, if it still is the same after the look: a UID never returns."""
        found = await self.cluster.list(resource, self.environment.namespace)
        return found if found and await self._still_the_same() else []

    async def _delete_outside(self, context: StepContext) -> None:
        self.kinds = leftovers.resources(self.record, self.lock.outside())
        for resource in self.kinds:
            for name in await self.writer.delete_owned(resource, partial(self._ours, resource)):
                context.note("info", f"deleted {resource.kind}/{name}")

    async def _ours(self, resource: Resource) -> list[Obj]:
        """Objects of a cluster-scoped kind that are this environment's, by label or by Helm."""
        found = await self.cluster.list(resource, selector=self.environment.selector)
        named = [
            await self.cluster.get(e.resource, e.name)
            for d in self.record.components.values()
            for e in d.entries
            if e.resource == resource and e.uid
        ]
        owned = {(e.name, e.uid) for d in self.record.components.values() for e in d.entries}
        extra = [
            o
            for o in named
            if o and (o["metadata"]["name"], uid_of(o)) in owned and self.writer.owns(o)
        ]
        return list({uid_of(obj): obj for obj in [*found, *extra]}.values())

    async def _prove(self, context: StepContext) -> bool:
        """Return when the API says that it is gone; else name what is stuck, and why."""
        proof = Proof(
            self.cluster, self.writer, uid_of(self.namespace), self.kinds, self.volumes,
            force=self.force,
        )  # fmt: skip
        try:
            await proof.run(context)
        finally:
            self.stuck, self.left = proof.stuck, proof.left
        await self.lock.forget()
        return True


def refuse_strangers(environment: Environment, namespace: Obj) -> None:
    """Raise Refused unless the namespace carries the environment's labels (law 3)."""
    if not environment.owns(labels_of(namespace)):
        raise Refused(
            f"The namespace {environment.namespace!r} is not this environment's.",
            why="It does not carry its labels, and envctl deletes only what is its own.",
            next="Check --project and --name with `envctl list`.",
        )
