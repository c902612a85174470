"""``down``: take everything away and prove that it is gone (law 4).

Needs neither the repository nor envctl.yaml: the namespace's labels and the record in it say what
there is, and the lock's Lease remembers what lies outside. Order: Helm's delete hooks run while the
application still does; objects outside the namespace go; then the namespace, and with it, at once,
its pods, since in a namespace that is going nothing can make new ones.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast

from envctl.errors import EnvctlError, Forbidden, Refused, TimedOut, Unavailable
from envctl.model import helm
from envctl.model import lease as leases
from envctl.model.environment import (
    PHASE,
    SYSTEM_NAMESPACE,
    Environment,
    EnvironmentInfo,
    Phase,
    info_of,
)
from envctl.model.events import Waiting
from envctl.model.objects import (
    LEASE,
    NAMESPACE,
    POD,
    PV,
    PVC,
    SECRET,
    Obj,
    Resource,
    annotations_of,
    labels_of,
    uid_of,
)
from envctl.model.readiness import conditions
from envctl.model.result import DownResult, StuckObject
from envctl.model.step import RetryPolicy, Step
from envctl.ports.cluster import Conflict
from envctl.workflow import granting, leftovers, session, store
from envctl.workflow.absence import until_gone
from envctl.workflow.engine import Engine, StepContext, Work, worst
from envctl.workflow.writer import LOOKS, Writer

if TYPE_CHECKING:
    from envctl.model.record import Record
    from envctl.ports.cluster import Cluster
    from envctl.ports.sources import Releases
    from envctl.workflow.lock import Lock
    from envctl.workflow.session import World

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
    proved: bool = False

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
            _refuse_strangers(self.environment, live)
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
        uid = uid_of(self.namespace)
        try:
            async with asyncio.timeout(max(1.0, context.step.timeout - 15)):
                await self._gone(context, uid)
                await self._volumes_gone(context)
        except TimeoutError:
            self.stuck = await leftovers.stuck(self.cluster, self.environment, uid)
            with contextlib.suppress(EnvctlError):  # what is stuck is what must be told
                await self.writer.annotate(uid, {PHASE: str(Phase.STUCK)})
            names = ", ".join(s.object for s in self.stuck) or "the namespace"
            raise TimedOut(
                f"{self.environment.name} is not gone after {context.step.timeout:.0f} s: "
                f"{names} is stuck.",
                why=self.stuck[0].controller if self.stuck else "The cluster does not say why.",
                next=self.stuck[0].next if self.stuck else "Run `envctl down` again.",
            ) from None
        self.left = await leftovers.outside(self.cluster, self.environment, self.kinds)
        self.proved = not self.left
        if self.left:
            raise _left_behind(self.environment, self.left)
        await self.lock.forget()
        return True

    async def _gone(self, context: StepContext, uid: str) -> None:
        await until_gone(
            self.cluster, NAMESPACE, self.environment.namespace, "", uid,
            lambda namespace: context.progress("waiting", _remaining(namespace)),
        )  # fmt: skip

    async def _volumes_gone(self, context: StepContext) -> None:
        """Volumes of the claims, unless their class keeps them (reclaimPolicy Retain)."""
        for name in self.volumes:
            volume = await self.cluster.get(PV, name)
            if volume is None:
                continue
            if (volume.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Retain":
                context.note("warning", f"PersistentVolume/{name} stays: its class retains volumes")
                continue
            context.progress("waiting", [Waiting(f"PersistentVolume/{name}", "being released")])
            await until_gone(self.cluster, PV, name, "", uid_of(volume))


def _remaining(namespace: Obj) -> list[Waiting]:
    found = [
        Waiting(f"Namespace/{namespace['metadata']['name']}", str(c.get("message", "")))
        for kind, c in conditions(namespace).items()
        if kind.startswith("Namespace") and c.get("status") == "True"
    ]
    name = namespace.get("metadata", {}).get("name", "")
    return found or [Waiting(f"Namespace/{name}", "its controller deletes the content")]


async def down(
    world: World, environment: Environment, timeout: float
) -> tuple[DownResult, EnvctlError | None]:
    """Take the environment away; the result, and the error to exit with if it is not gone."""
    engine = Engine(world.clock, world.emit)
    if await _nothing_to_do(world, environment):
        return _absent(environment, engine), None
    async with session.lock_of(world, environment, engine).held() as lock:
        namespace = await world.cluster.get(NAMESPACE, environment.namespace)
        if namespace is None and not lock.outside():
            return _absent(environment, engine), None
        if namespace is None:
            writer = Writer(world.cluster, environment, lock)
            return await outside_only(world, environment, engine, lock, writer)
        teardown = await begin(world, environment, engine, lock, namespace, timeout)
        results = await engine.run(teardown.works())
        error = worst(list(results.values()))
        return _result(teardown, error), error


async def _nothing_to_do(world: World, environment: Environment) -> bool:
    """Whether nothing is there, nobody is making it, and no older pipeline could any more.

    A pipeline that takes away what is not there yet leaves its number on the Lease: an older one
    that comes late, or is in the middle of it, must not make the environment after all.
    """
    lease = await world.cluster.get(LEASE, environment.namespace, SYSTEM_NAMESPACE)
    if leftovers.remembered(lease) or leases.holder(lease or {}):
        return False
    if leases.newest(lease or {}) < leases.number(environment.pipeline):
        return False
    return await world.cluster.get(NAMESPACE, environment.namespace) is None


async def begin(
    world: World, environment: Environment, engine: Engine, lock: Lock, namespace: Obj,
    timeout: float,
) -> Down:  # fmt: skip
    """A teardown of exactly this namespace; raises Refused unless it is the environment's."""
    _refuse_strangers(environment, namespace)
    record, _ = await store.read(world.cluster, environment)
    writer = Writer(world.cluster, environment, lock)
    return Down(world, environment, engine, lock, writer, namespace, record, timeout)


def _refuse_strangers(environment: Environment, namespace: Obj) -> None:
    if not environment.owns(labels_of(namespace)):
        raise Refused(
            f"The namespace {environment.namespace!r} is not this environment's.",
            why="It does not carry its labels, and envctl deletes only what is its own.",
            next="Check --project and --name with `envctl list`.",
        )


async def outside_only(
    world: World, environment: Environment, engine: Engine, lock: Lock, writer: Writer
) -> tuple[DownResult, EnvctlError | None]:
    """The namespace is gone, but an earlier teardown was killed before it proved the rest.

    The caller holds the lock, so that nobody makes the namespace anew meanwhile.
    """
    for resource in lock.outside():
        find = partial(world.cluster.list, resource, selector=environment.selector)
        await writer.delete_owned(resource, find)
    left = await leftovers.outside(world.cluster, environment, lock.outside())
    if not left:
        await lock.forget()
    info = _info(environment)
    result = DownResult(info, "stuck" if left else "gone", tuple(left), (), engine.elapsed())
    return result, _left_behind(environment, left) if left else None


def _left_behind(environment: Environment, left: list[str]) -> EnvctlError:
    return EnvctlError(
        f"{environment.name} left {', '.join(left)} behind.",
        why="They lie outside the namespace and are still there after their deletion.",
        next="Run `envctl down` again; if they stay, look at their finalizers.",
    )


def _info(environment: Environment) -> EnvironmentInfo:
    return EnvironmentInfo(
        environment.project, environment.name, environment.namespace, Phase.DELETING
    )


def _absent(environment: Environment, engine: Engine) -> DownResult:
    return DownResult(_info(environment), "absent", (), (), engine.elapsed())


def _result(teardown: Down, error: EnvctlError | None) -> DownResult:
    if error is None:
        word = "gone"
    elif isinstance(error, Unavailable):
        word = "unknown"
    else:
        word = "stuck"
    info = info_of(teardown.namespace)
    return DownResult(
        info, word, tuple(teardown.left), tuple(teardown.stuck), teardown.engine.elapsed()
    )
