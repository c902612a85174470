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
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Locked, Unavailable
from envctl.model import lease as leases
from envctl.model import measured
from envctl.model.objects import Resource, annotations_of
from envctl.ports import attempt, fence
from envctl.ports.cluster import Conflict
from envctl.workflow import leftovers, lockwords
from envctl.workflow.hold import ANSWER, Hold
from envctl.workflow.renewing import Renewing
from envctl.workflow.taking import Taking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from envctl.model.environment import Environment
    from envctl.model.objects import Obj
    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster

#: Attempts to change the Lease, which others leave word on in between.
ATTEMPTS = 10


@dataclass(slots=True)
class Lock:
    """The lock of one environment, for one run; ``patience`` is how long it waits, in seconds."""

    cluster: Cluster
    clock: Clock
    environment: Environment
    say: Callable[[str], None]
    run_id: str
    patience: float = 300.0
    _hold: Hold = field(init=False)
    _renewing: Renewing = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is held yet."""
        self._hold = Hold(self.cluster, self.clock, self.environment, self.run_id)
        self._renewing = Renewing(self._hold)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Lock]:
        """Hold the lock; raises Superseded or Locked, also in the middle of what is inside."""
        await Taking(self._hold, self.say, self.patience).take()
        renewing = None
        try:
            async with asyncio.timeout(None) as ended:
                renewing = asyncio.create_task(self._renewing.until_lost(ended))
                with fence.behind(self):
                    yield self
        except TimeoutError:
            raise self._hold.lost or Locked(f"The lock of {self._hold.name} was lost.") from None
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
        hold = self._hold
        if hold.lost is not None:
            raise hold.lost
        for _ in range(3):  # a renewal that met a conflict has verified nothing
            if hold.young():
                break
            await self._renewing.once()
        if hold.lost is None and hold.trusted() < 0:
            hold.lost = lockwords.not_renewed(self.environment, lockwords.CHANGED)
        if hold.lost is not None:
            raise hold.lost

    def trusted(self) -> float:
        """Seconds until a run that renews no more must have ceased to write."""
        return self._hold.trusted()

    # What must outlive the namespace

    def outside(self) -> list[Resource]:
        """The cluster-scoped kinds that the environment may have objects of."""
        return leftovers.parse(annotations_of(self._hold.lease or {}).get(leftovers.OUTSIDE, ""))

    async def remember(self, kinds: list[Resource]) -> None:
        """Write down, before the first object outside the namespace is made, of which kind."""
        known = self.outside()
        if not set(kinds) <= set(known):
            outside = leftovers.dump([*known, *kinds])
            await self._annotate(lambda _: {leftovers.OUTSIDE: outside})

    async def forget(self) -> None:
        """The environment is gone: nothing of it lies outside."""
        deleted = self._hold.stamp_of_now()
        await self._annotate(lambda _: {leftovers.OUTSIDE: None, leases.DELETED: deleted})

    def runs(self) -> measured.Runs:
        """The good runs of the environment's own checks, as far as it is known."""
        return measured.load(annotations_of(self._hold.lease or {}))

    async def measured(self, check: str, run: measured.Measured) -> None:
        """Keep a good run of a check: what a change is later judged beside."""

        def added(notes: Mapping[str, str]) -> dict[str, str | None]:
            return {measured.ANNOTATION: measured.added(notes, check, run)}

        await self._annotate(added)

    async def _annotate(self, change: Callable[[Mapping[str, str]], dict[str, str | None]]) -> None:
        """Change the Lease while it is this run's; in one request, which fails if it is not.

        ``change`` is given its annotations as they are then, and may be asked more than once.
        """
        for _ in range(ATTEMPTS):
            await self.check()
            lease = await self._hold.read()
            self._hold.judge(lease)
            if self._hold.lost is not None or lease is None:
                continue  # and the check says why
            known = annotations_of(lease)
            kept = {**known, **change(known)}
            meta = {**lease["metadata"], "annotations": {k: v for k, v in kept.items() if v}}
            with contextlib.suppress(Conflict):  # renewed, or asked for, in between
                await self._hold.write({**lease, "metadata": meta})
                return
        raise lockwords.not_renewed(self.environment, lockwords.CHANGED)

    # Letting go

    async def _release(self) -> None:
        """Give the lock back, if it is still this run's; a failure costs the next run a wait."""
        with contextlib.suppress(EnvctlError, TimeoutError):
            async with asyncio.timeout(2 * ANSWER + 1):
                known = self._hold.lease if self._hold.lost is None else None
                for _ in range(3):
                    with contextlib.suppress(Conflict, Unavailable), attempt.within(ANSWER):
                        await self._let_go(known)
                        return
                    known = None

    async def _let_go(self, known: Obj | None) -> None:
        """Give back the Lease as it was last seen, or as it is now; raises Conflict."""
        lease = known or await self._hold.read()
        if lease is not None and self._hold.is_holder(lease):
            await self._hold.write({**lease, "spec": {**lease["spec"], "holderIdentity": ""}})
