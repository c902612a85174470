"""One writer at a time: a Lease per environment, renewed while working, fenced by pipeline number.

A Lease is taken over only after its duration was *seen* to pass unrenewed; two machines' clocks are
never compared. A newer pipeline does not break in: it asks (an annotation), and the older run stops
before its next write and lets go. If the older one is dead, its duration passes.
The Lease outlives the environment in ``envctl-system`` and remembers the newest pipeline, so that
an older one that wakes up late is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Locked, Superseded, Unavailable
from envctl.model import lease as leases
from envctl.model.environment import SYSTEM_NAMESPACE, Environment
from envctl.model.objects import LEASE, NAMESPACE, Obj, Resource, annotations_of
from envctl.ports import attempt, fence
from envctl.ports.cluster import AlreadyExists, Conflict, Terminating
from envctl.workflow import leftovers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster

RENEW_EVERY = leases.DURATION / 3
#: Seconds between two looks of a pipeline's run at whether a newer one asks for the lock.
LOOK_EVERY = 1.0
#: Part of the duration after which a run no longer trusts that the lease is still its own.
TRUST = 0.6
#: Part after which a run that could not renew it writes no more, well before another may take it.
KEEP = 0.8
POLL = 0.5
#: Seconds that one look at the lease may take.
ANSWER = leases.DURATION / 4
#: Part of what is left of the lease that one renewal may take: one that hangs is given up in time
#: to be made anew, and a server that is only slow gets most of it.
PATIENT = 0.6
#: Attempts to change the Lease, which others leave word on in between.
ATTEMPTS = 10


@dataclass(slots=True)
class Lock:
    """The lock of one environment, for one run."""

    cluster: Cluster
    clock: Clock
    environment: Environment
    say: Callable[[str], None]
    patience: float = 300.0
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    _lease: Obj | None = None
    _renewed: float = 0.0
    _lost: EnvctlError | None = None
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        """The Lease's name: the environment's namespace, which is unique in the cluster."""
        return self.environment.namespace

    @property
    def _pipeline(self) -> int:
        return leases.number(self.environment.pipeline)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Lock]:
        """Hold the lock; raises Superseded or Locked, also in the middle of what is inside."""
        await self._acquire()
        renewing = None
        try:
            async with asyncio.timeout(None) as ended:
                renewing = asyncio.create_task(self._renew(ended))
                with fence.behind(self):
                    yield self
        except TimeoutError:
            raise self._lost or Locked(f"The lock of {self.name} was lost.") from None
        finally:
            if renewing is not None:  # until what was inside has ended, the lock is kept
                renewing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await renewing
            await self._release()

    async def check(self) -> None:
        """Return if this run may write; raises Superseded or Locked.

        No request is made while the last renewal is young. A process that was stopped for longer
        than that (SIGSTOP, a laptop's lid) asks the cluster before it writes again.
        """
        if self._lost is not None:
            raise self._lost
        for _ in range(3):  # a renewal that met a conflict has verified nothing
            if self.clock.monotonic() - self._renewed <= leases.DURATION * TRUST:
                break
            await self._renew_once()
        if self._lost is None and self.trusted() < 0:
            self._lost = self._not_renewed("It was changed at every attempt.")
        if self._lost is not None:
            raise self._lost

    def trusted(self) -> float:
        """Seconds until a run that renews no more must have ceased to write."""
        return self._renewed + leases.DURATION * KEEP - self.clock.monotonic()

    # What must outlive the namespace

    def outside(self) -> list[Resource]:
        """The cluster-scoped kinds that the environment may have objects of."""
        return leftovers.parse(annotations_of(self._lease or {}).get(leftovers.OUTSIDE, ""))

    async def remember(self, kinds: list[Resource]) -> None:
        """Write down, before the first object outside the namespace is made, of which kind."""
        known = self.outside()
        if not set(kinds) <= set(known):
            await self._annotate({leftovers.OUTSIDE: leftovers.dump([*known, *kinds])})

    async def forget(self) -> None:
        """The environment is gone: nothing of it lies outside."""
        await self._annotate({leftovers.OUTSIDE: None, leases.DELETED: self._now()})

    async def _annotate(self, notes: dict[str, str | None]) -> None:
        """Change the Lease while it is this run's; in one request, which fails if it is not."""
        for _ in range(ATTEMPTS):
            await self.check()
            lease = await self.cluster.get(LEASE, self.name, SYSTEM_NAMESPACE)
            self._judge(lease)
            if self._lost is not None or lease is None:
                continue  # and the check says why
            kept = {**annotations_of(lease), **notes}
            meta = {**lease["metadata"], "annotations": {k: v for k, v in kept.items() if v}}
            with contextlib.suppress(Conflict):  # renewed, or asked for, in between
                self._lease = await self.cluster.replace(LEASE, {**lease, "metadata": meta})
                return
        raise self._not_renewed("It was changed at every attempt.")

    # Taking

    async def _acquire(self) -> None:
        began = self.clock.monotonic()
        seen: tuple[str, float] = ("", began)
        told = False
        while True:
            lease = await self.cluster.get(LEASE, self.name, SYSTEM_NAMESPACE)
            if lease is None:
                if await self._create():
                    return
                if self.clock.monotonic() - began > self.patience:
                    raise self._not_made()
                continue
            self._refuse_if_older(lease)
            holder = leases.holder(lease)
            now = self.clock.monotonic()
            if leases.mark(lease) != seen[0]:
                seen = (leases.mark(lease), now)
            if not holder or holder == self.run_id or now - seen[1] > leases.duration(lease):
                if await self._take(lease, expired=bool(holder) and holder != self.run_id):
                    return
                continue
            if not told:
                self.say(f"waiting for the run {holder} that works on {self.environment.name}")
                told = True
            await self._ask_for_it(lease)
            if now - began > self.patience:
                raise self._locked(holder)
            await asyncio.sleep(POLL)

    def _locked(self, holder: str) -> Locked:
        return Locked(
            f"Another run works on {self.environment.name}.",
            why=f"The run {holder} has held its lock for more than {self.patience:.0f} s.",
            next="Wait for it to end, then run the command again.",
        )

    def _not_made(self) -> Unavailable:
        return Unavailable(
            f"The lock of {self.environment.name} could not be made.",
            why=f"For {self.patience:.0f} s the namespace {SYSTEM_NAMESPACE} was being deleted.",
            next="Run the command again when it is gone.",
        )

    def _refuse_if_older(self, lease: Obj) -> None:
        if self._pipeline and leases.newest(lease) > self._pipeline:
            raise self._superseded(leases.newest(lease))

    def _superseded(self, newest: int) -> Superseded:
        return Superseded(
            f"Pipeline {newest} has taken over {self.environment.name}.",
            why=f"It is newer than this one ({self.environment.pipeline or 'no pipeline'}), "
            "and one run at a time writes.",
            next="Nothing is to be done; look at the newer pipeline.",
        )

    async def _create(self) -> bool:
        lease, began = leases.new(self.environment), self.clock.monotonic()
        try:
            self._lease = await self.cluster.create(LEASE, self._mine(lease))
        except AlreadyExists:
            return False
        except Terminating:  # somebody removes envctl-system: it is made anew then
            await asyncio.sleep(POLL)
            return False
        except EnvctlError as error:
            if "not found" not in str(error).lower():
                raise
            await self._create_system_namespace()
            return False
        self._renewed = began
        return True

    async def _create_system_namespace(self) -> None:
        with contextlib.suppress(AlreadyExists):
            await self.cluster.create(
                NAMESPACE,
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {
                        "name": SYSTEM_NAMESPACE,
                        "labels": {"app.kubernetes.io/managed-by": "envctl"},
                    },
                },
            )

    async def _take(self, lease: Obj, *, expired: bool) -> bool:
        if expired:
            self.say(f"the run {leases.holder(lease)} has not renewed its lock; taking it over")
        began = self.clock.monotonic()
        try:
            self._lease = await self.cluster.replace(LEASE, self._mine(lease))
        except Conflict:
            return False
        self._renewed = began
        return True

    def _mine(self, lease: Obj) -> Obj:
        return leases.held_by(lease, self.environment, self.run_id, self._now())

    async def _ask_for_it(self, lease: Obj) -> None:
        """A newer pipeline leaves word that it wants the lock; the holder then lets go."""
        asked = leases.asked_for(lease, self._pipeline)
        if asked is not None:
            with contextlib.suppress(Conflict):
                await self.cluster.replace(LEASE, asked)

    # Keeping

    async def _renew(self, ended: asyncio.Timeout) -> None:
        try:
            while self._lost is None:
                await asyncio.sleep(self._pause())
                if self.clock.monotonic() - self._renewed >= RENEW_EVERY:
                    await self._renew_once()
                elif self._pipeline:
                    await self._look()
        except EnvctlError as error:
            self._lost = self._lost or error
        ended.reschedule(-1)  # ends what is inside, from where it waits
        await self._keep()

    async def _keep(self) -> None:
        """A write that has begun, or a helm, takes a while to end: nobody begins before it has."""
        while True:
            await asyncio.sleep(RENEW_EVERY)
            with contextlib.suppress(Conflict, Unavailable), attempt.within(ANSWER):
                lease = await self.cluster.get(LEASE, self.name, SYSTEM_NAMESPACE)
                if lease is None or leases.holder(lease) != self.run_id:
                    return
                await self._stamped(lease)

    def _pause(self) -> float:
        """Seconds until the next look; one that failed is repeated soon."""
        due = RENEW_EVERY - (self.clock.monotonic() - self._renewed)
        return LOOK_EVERY if self._pipeline else max(due, LOOK_EVERY)

    async def _look(self) -> None:
        """Between renewals, see whether a newer pipeline asks."""
        with contextlib.suppress(Unavailable), attempt.within(ANSWER):
            lease = await self.cluster.get(LEASE, self.name, SYSTEM_NAMESPACE)
            self._judge(lease)

    async def _renew_once(self) -> None:
        async with self._busy:
            began = self.clock.monotonic()
            if began - self._renewed < 1.0 or self._lost is not None:
                return
            try:
                left = leases.DURATION - (began - self._renewed)
                with fence.behind(None), attempt.within(max(1.0, left * PATIENT)):
                    if await self._stamp():
                        self._renewed = began
            except Conflict:
                return  # somebody left word on it in between: seen at the next look
            except Unavailable as error:
                if self.trusted() < 0:
                    self._lost = self._not_renewed(str(error))

    async def _stamp(self) -> bool:
        """Renew the lease as it was last seen; look first only where that may be somebody else's.

        Others take it over when its duration has passed, but before that may leave word on it.
        """
        lease, age = self._lease, self.clock.monotonic() - self._renewed
        if lease is not None and age <= leases.DURATION * TRUST:
            try:
                await self._stamped(lease)
            except EnvctlError as error:
                if isinstance(error, Unavailable) and not isinstance(error, Conflict):
                    raise
            else:
                return True
        lease = await self.cluster.get(LEASE, self.name, SYSTEM_NAMESPACE)
        self._judge(lease)
        if self._lost is None and lease is not None:
            await self._stamped(lease)
        return self._lost is None

    async def _stamped(self, lease: Obj) -> None:
        spec = {**lease["spec"], "renewTime": self._now()}
        self._lease = await self.cluster.replace(LEASE, {**lease, "spec": spec})

    def _not_renewed(self, why: str) -> Locked:
        return Locked(
            f"The lock of {self.environment.name} could not be renewed.",
            why=why,
            next="Run the command again.",
        )

    def _judge(self, lease: Obj | None) -> None:
        if lease is None or leases.holder(lease) != self.run_id:
            newest = leases.newest(lease or {})
            if newest > self._pipeline:
                self._lost = self._superseded(newest)
            else:
                self._lost = Locked(
                    f"The lock of {self.environment.name} was taken over.",
                    why="This run did not renew it in time, or somebody deleted it.",
                    next="Run the command again.",
                )
            return
        if leases.wanted_by(lease) > self._pipeline:
            self._lost = self._superseded(leases.wanted_by(lease))
        self._lease = lease

    def _now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # Letting go

    async def _release(self) -> None:
        """Give the lock back, if it is still this run's; a failure costs the next run a wait."""
        with contextlib.suppress(EnvctlError, TimeoutError):
            async with asyncio.timeout(2 * ANSWER + 1):
                for _ in range(3):
                    with contextlib.suppress(Conflict, Unavailable), attempt.within(ANSWER):
                        if await self._let_go():
                            return

    async def _let_go(self) -> bool:
        lease = await self.cluster.get(LEASE, self.name, SYSTEM_NAMESPACE)
        if lease is not None and leases.holder(lease) == self.run_id:
            spec = {**lease["spec"], "holderIdentity": ""}
            await self.cluster.replace(LEASE, {**lease, "spec": spec})
        return True
