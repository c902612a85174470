"""Taking the lock: at once where it is free, else once its holder lets go or is seen to be dead."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model import lease as leases
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.objects import LEASE, NAMESPACE
from envctl.ports.cluster import AlreadyExists, Conflict, NotFound, Terminating
from envctl.workflow import lockwords

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.model.objects import Obj
    from envctl.workflow.hold import Hold

POLL = 0.5


@dataclass(frozen=True, slots=True)
class Taking:
    """One run's attempt to take the lock; ``patience`` is in seconds."""

    hold: Hold
    say: Callable[[str], None]
    patience: float

    async def take(self) -> None:
        """Return once the lock is this run's; raises Superseded, Locked or Unavailable."""
        hold = self.hold
        began = hold.clock.monotonic()
        seen: tuple[str, float] = ("", began)
        told = False
        while True:
            lease = await hold.read()
            if lease is None:
                if await self._create():
                    return
                if hold.clock.monotonic() - began > self.patience:
                    raise lockwords.not_made(hold.environment, self.patience)
                continue
            self._refuse_if_older(lease)
            holder = leases.holder(lease)
            now = hold.clock.monotonic()
            if leases.mark(lease) != seen[0]:
                seen = (leases.mark(lease), now)
            if not holder or holder == hold.run_id or now - seen[1] > leases.duration(lease):
                if await self._replace(lease, expired=bool(holder) and holder != hold.run_id):
                    return
                continue
            if not told:
                self.say(f"waiting for the run {holder} that works on {hold.environment.name}")
                told = True
            await self._ask_for_it(lease)
            if now - began > self.patience:
                raise lockwords.held(hold.environment, holder, self.patience)
            await asyncio.sleep(POLL)

    def _refuse_if_older(self, lease: Obj) -> None:
        if self.hold.pipeline and leases.newest(lease) > self.hold.pipeline:
            raise lockwords.superseded(self.hold.environment, leases.newest(lease))

    async def _create(self) -> bool:
        hold = self.hold
        lease, began = leases.new(hold.environment), hold.clock.monotonic()
        try:
            hold.lease = await hold.cluster.create(LEASE, hold.mine(lease))
        except AlreadyExists:
            return False
        except Terminating:  # somebody removes envctl-system: it is made anew then
            await asyncio.sleep(POLL)
            return False
        except NotFound:
            await self._create_system_namespace()
            return False
        hold.renewed = began
        return True

    async def _create_system_namespace(self) -> None:
        with contextlib.suppress(AlreadyExists):
            await self.hold.cluster.create(
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

    async def _replace(self, lease: Obj, *, expired: bool) -> bool:
        hold = self.hold
        if expired:
            self.say(f"the run {leases.holder(lease)} has not renewed its lock; taking it over")
        began = hold.clock.monotonic()
        try:
            await hold.write(hold.mine(lease))
        except Conflict:
            return False
        hold.renewed = began
        return True

    async def _ask_for_it(self, lease: Obj) -> None:
        """A newer pipeline leaves word that it wants the lock; the holder then lets go."""
        asked = leases.asked_for(lease, self.hold.pipeline)
        if asked is not None:
            with contextlib.suppress(Conflict):
                await self.hold.cluster.replace(LEASE, asked)
