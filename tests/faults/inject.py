"""The faults: what happens to the k-th request of a run, and to the processes behind it."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

    from tests.faults.forks import Run
    from tests.faults.proxy import Exchange

STALL = 30.0


class Fault(enum.StrEnum):
    """What is done at a request; the value is its name in the table."""

    KILL_BEFORE = "SIGKILL before the request leaves"
    KILL_AFTER = "SIGKILL after the server acted"
    TERM = "SIGTERM"
    HELM_BEFORE = "SIGKILL of helm alone, before"
    HELM_AFTER = "SIGKILL of helm alone, after"
    RESET_BEFORE = "connection reset before"
    RESET_AFTER = "connection reset after the server acted"
    ERROR_500 = "HTTP 500"
    ERROR_503 = "HTTP 503"
    ERROR_429 = "HTTP 429, Retry-After"
    ERROR_409 = "HTTP 409"
    STALL = "no answer for 30 s"
    EXPIRED = "token expired from here on"

    @property
    def curable(self) -> bool:
        """Whether a retry inside the run can cure it: then the user must never see it."""
        return self not in _SEEN

    @property
    def of_helm(self) -> bool:
        """Whether it counts, and strikes, helm's requests alone."""
        return self in (Fault.HELM_BEFORE, Fault.HELM_AFTER)


_SEEN = (Fault.KILL_BEFORE, Fault.KILL_AFTER, Fault.TERM, Fault.EXPIRED)
_ANSWERS = {
    Fault.ERROR_500: (500, "InternalError", "Internal error occurred: injected"),
    Fault.ERROR_503: (503, "ServiceUnavailable", "the server is currently unable: injected"),
    Fault.ERROR_429: (429, "TooManyRequests", "too many requests: injected"),
    Fault.ERROR_409: (
        409, "Conflict",
        "the object has been modified; please apply your changes to the latest version: injected",
    ),
    Fault.EXPIRED: (401, "Unauthorized", "Unauthorized"),
}  # fmt: skip


@dataclass
class Injector:
    """Handles the requests of one run; ``hit`` says which one was struck."""

    fault: Fault | None = None
    at: int = 0
    seen: list[str] = field(default_factory=list)
    hit: str = ""
    _run: Run | None = None
    _known: asyncio.Event = field(default_factory=asyncio.Event)
    _expired: bool = False

    def victim(self, run: Run) -> None:
        """What is run; requests wait until it is known."""
        self._run = run
        self._known.set()

    @property
    def of_helm(self) -> int:
        """How many of the requests were helm's."""
        return sum(1 for what in self.seen if what.startswith("helm "))

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        """Answer one request, badly if it is the one."""
        await self._known.wait()
        self.seen.append(str(exchange))
        if self._expired:
            return exchange.answer(*_ANSWERS[Fault.EXPIRED])
        if self.fault is None or self.hit or not self._is_it(exchange):
            return await exchange.pass_on()
        self.hit = str(exchange)
        return await self._strike(exchange, self.fault)

    def _is_it(self, exchange: Exchange) -> bool:
        if self.fault is not None and self.fault.of_helm:
            return exchange.by_helm and self.of_helm == self.at
        return len(self.seen) == self.at

    async def _strike(self, exchange: Exchange, fault: Fault) -> web.StreamResponse:
        assert self._run is not None
        if fault in (Fault.KILL_AFTER, Fault.HELM_AFTER, Fault.RESET_AFTER):
            answer = await exchange.ask()
            if not exchange.watches:
                await answer.read()
            answer.close()
        match fault:
            case Fault.KILL_BEFORE | Fault.KILL_AFTER:
                self._run.kill(signal.SIGKILL)
            case Fault.HELM_BEFORE | Fault.HELM_AFTER:
                for child in _helms(self._run.pid):
                    os.kill(child, signal.SIGKILL)
            case Fault.TERM:
                self._run.kill(signal.SIGTERM)
                return await exchange.pass_on()
            case Fault.STALL:
                answer = await exchange.ask()
                await asyncio.sleep(STALL)
                return await exchange.deliver(answer)
            case Fault.RESET_BEFORE | Fault.RESET_AFTER:
                pass
            case _:
                self._expired = fault is Fault.EXPIRED
                headers = {"Retry-After": "1"} if fault is Fault.ERROR_429 else {}
                return exchange.answer(*_ANSWERS[fault], headers)
        return exchange.reset()


def _helms(ancestor: int) -> list[int]:
    """The helm processes that a process has started, itself or through its leash."""
    parents: dict[int, int] = {}
    helms: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, rest = (entry / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            parents[int(entry.name)] = int(rest.split()[1])
            if name.startswith("helm"):
                helms.append(int(entry.name))
    return [pid for pid in helms if ancestor in (parents[pid], parents.get(parents[pid]))]
