"""Keeping the lock while its run works: renewed in time, and looked at for a newer pipeline."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Unavailable
from envctl.model import lease as leases
from envctl.ports import attempt, fence
from envctl.ports.cluster import Conflict
from envctl.workflow import lockwords
from envctl.workflow.hold import ANSWER

if TYPE_CHECKING:
    from envctl.workflow.hold import Hold

RENEW_EVERY = leases.DURATION / 3
#: Seconds between two looks of a pipeline's run at whether a newer one asks for the lock.
LOOK_EVERY = 1.0
#: Part of what is left of the lease that one renewal may take: one that hangs is given up in time
#: to be made anew, and a server that is only slow gets most of it.
PATIENT = 0.6


@dataclass(slots=True)
class Renewing:
    """Renews one hold, from a task of its own and whenever a write finds it old."""

    hold: Hold
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def until_lost(self, ended: asyncio.Timeout) -> None:
        """Renew until the hold is lost, end what works under it, and keep others out meanwhile."""
        hold = self.hold
        try:
            while hold.lost is None:
                await asyncio.sleep(self._pause())
                if hold.age() >= RENEW_EVERY:
                    await self.once()
                elif hold.pipeline:
                    await self._look()
        except EnvctlError as error:
            hold.lost = hold.lost or error
        ended.reschedule(-1)  # ends what is inside, from where it waits
        await self._keep()

    async def _keep(self) -> None:
        """A write that has begun, or a helm, takes a while to end: nobody begins before it has."""
        while True:
            await asyncio.sleep(RENEW_EVERY)
            with contextlib.suppress(Conflict, Unavailable), attempt.within(ANSWER):
                lease = await self.hold.read()
                if lease is None or not self.hold.is_holder(lease):
                    return
                await self.hold.stamp(lease)

    def _pause(self) -> float:
        """Seconds until the next look; one that failed is repeated soon."""
        due = RENEW_EVERY - self.hold.age()
        return LOOK_EVERY if self.hold.pipeline else max(due, LOOK_EVERY)

    async def _look(self) -> None:
        """Between renewals, see whether a newer pipeline asks."""
        with contextlib.suppress(Unavailable), attempt.within(ANSWER):
            self.hold.judge(await self.hold.read())

    async def once(self) -> None:
        """Renew now, unless that was just done; a failure counts once the hold is not trusted."""
        hold = self.hold
        async with self._busy:
            began = hold.clock.monotonic()
            if began - hold.renewed < 1.0 or hold.lost is not None:
                return
            try:
                left = leases.DURATION - (began - hold.renewed)
                with fence.behind(None), attempt.within(max(1.0, left * PATIENT)):
                    if await self._stamp():
                        hold.renewed = began
            except Conflict:
                return  # somebody left word on it in between: seen at the next look
            except Unavailable as error:
                if hold.trusted() < 0:
                    hold.lost = lockwords.not_renewed(hold.environment, str(error))

    async def _stamp(self) -> bool:
        """Renew the lease as it was last seen; look first only where that may be somebody else's.

        Others take it over when its duration has passed, but before that may leave word on it.
        """
        hold = self.hold
        if hold.lease is not None and hold.young():
            try:
                await hold.stamp(hold.lease)
            except EnvctlError as error:
                if isinstance(error, Unavailable) and not isinstance(error, Conflict):
                    raise
            else:
                return True
        lease = await hold.read()
        hold.judge(lease)
        if hold.lost is None and lease is not None:
            await hold.stamp(lease)
        return hold.lost is None
