"""One environment's life, in which each verb is struck once and then made good.

An environment that has recovered is the next verb's beginning: `deploy` is tried on what a killed
`create` and its re-run have left, `down` on what all of them have. So no point needs a set-up of
its own, and each recovery is proved twice: by the state, and by all that follows.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults import points, state
from tests.faults.commands import PAST
from tests.faults.inject import Fault, Injector
from tests.faults.points import Outcome, Point
from tests.faults.proxy import Exchange, Proxy, Upstream

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.commands import Commands
    from tests.faults.forks import Run

#: Seconds that any one run may take before it counts as stuck.
LIMIT = 300.0
#: Seconds that the cluster's own controllers get to end what a finished run has set off.
SETTLE = 20.0
_LIFE = ("envctl.dev/expires-at", "envctl.dev/last-used-at")


@dataclass
class Life:
    """One environment with a name, a folder and a proxy of its own."""

    commands: Commands
    upstream: Upstream
    proxy: Proxy
    direct: Path
    """The kubeconfig that leads past the proxy: recoveries are not to be counted or struck."""
    folder: Path
    project: str
    references: dict[str, state.State]
    number: int = 0

    @property
    def namespace(self) -> str:
        return self.commands.namespace(self.project)

    async def undisturbed(self, verb: str, *, watched: bool = False) -> tuple[Injector, str]:
        """Run a verb with no fault; what it asked, and what went wrong, if anything."""
        injector = Injector()
        code, _, run = await self._run(verb, injector if watched else None)
        return injector, "" if code == 0 else f"{verb} ended with {code}: {_tail(run)}"

    async def struck(self, point: Point) -> Outcome:
        """Run a verb with a fault, make it good, and say how that went."""
        injector = Injector(point.fault, point.at)
        held = await state.kept(self.upstream, self.namespace)
        code, seconds, run = await self._run(point.verb, injector)
        told = {"request": injector.hit, "code": code, "seconds": round(seconds, 2)}
        if not injector.hit:
            differs = await self._differs(point.verb)
            return Outcome(point, "stuck" if code or differs else "missed", why=differs, **told)  # type: ignore[arg-type]
        if code == 0:
            differs = await self._differs(point.verb)
            if not differs:
                return Outcome(point, "cured", **told)  # type: ignore[arg-type]
            # Whose token expires when all is done can let go of the lock no more; it lapses.
            if not (point.fault is Fault.EXPIRED and differs.startswith("Lock differs")):
                return Outcome(point, "stuck", why=f"exit 0, but {differs}", **told)  # type: ignore[arg-type]
        said = f"{_tail(run)}" if point.fault.curable else ""
        held |= await state.kept(self.upstream, self.namespace)
        verb = points.DOWN if point.recovery == points.DOWN else point.verb
        code, seconds, run = await self._run(verb, None)
        told["recovery"] = round(seconds, 2)
        if code != 0:
            why = f"the re-run ended with {code}: {_tail(run)}"
            return Outcome(point, "stuck", why=why, **told)  # type: ignore[arg-type]
        if differs := await self._differs(verb):
            return Outcome(point, "stuck", why=f"after the re-run {differs}", **told)  # type: ignore[arg-type]
        lost = "" if verb in ("down", "gc", "uninstall") else await self._lost(held)
        if lost:
            return Outcome(point, "stuck", why=lost, **told)  # type: ignore[arg-type]
        end = "gone" if point.recovery == points.DOWN else "same"
        return Outcome(point, end, why=said, **told)  # type: ignore[arg-type]

    async def settled(self) -> state.State:
        """The state, once the cluster's controllers have nothing more to do about it."""
        found: state.State = {}
        while found != (  # noqa: ASYNC110 - a cluster has no event for having come to rest
            found := await state.read(self.upstream, self.namespace, self.project)
        ):
            await asyncio.sleep(1.0)
        return found

    async def end(self) -> None:
        """Take away what is left, without waiting for it."""
        await self.upstream.call("DELETE", f"/api/v1/namespaces/{self.namespace}")

    async def _run(self, verb: str, injector: Injector | None) -> tuple[int | None, float, Run]:
        if verb == "gc":
            await self._expire()
        self.number += 1
        self.proxy.handle = injector or Exchange.pass_on
        kubeconfig = self.proxy.kubeconfig if injector else self.direct
        began = time.monotonic()
        run = await self.commands.start(verb, self.project, self.folder, kubeconfig, self.number)
        if injector:
            injector.victim(run)
        code = await run.wait(LIMIT)
        return code, time.monotonic() - began, run

    async def _expire(self) -> None:
        path = f"/api/v1/namespaces/{self.namespace}"
        if await self.upstream.call("GET", path):
            patch = {"metadata": {"annotations": dict.fromkeys(_LIFE, PAST)}}
            await self.upstream.call("PATCH", path, patch, "application/merge-patch+json")

    async def _differs(self, verb: str) -> str:
        """How the state differs from that after an undisturbed run; empty where it does not."""
        end = time.monotonic() + SETTLE
        while True:
            found = await state.read(self.upstream, self.namespace, self.project)
            wanted = self.references.get(verb, found)
            if verb == points.DOWN and found["Lock"] is None:  # there never was anything
                wanted = {**wanted, "Lock": None}
            said = state.difference(wanted, found)
            if not said or time.monotonic() > end:
                return "; ".join(said)
            await asyncio.sleep(0.5)

    async def _lost(self, held: dict[str, str]) -> str:
        now = await state.kept(self.upstream, self.namespace)
        lost = [name for name, uid in held.items() if now.get(name) != uid]
        return f"the data of {', '.join(lost)} was deleted" if lost else ""


def _tail(run: Run) -> str:
    """The end of what a run said, where the reason stands."""
    text = run.err.read_text(errors="replace").strip().splitlines()
    errors = [line for line in text if "level=error" in line or "Error" in line]
    return " / ".join((errors or text)[-2:])[-600:]
