"""A loop whose time passes at once, and a clock that shows it."""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Where a loop would sleep, its time jumps; where nothing can ever wake it, that is said."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen")
        if not found and timeout:
            self.now += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which an hour of sleep takes no time."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def pass_(self, seconds: float) -> None:
        """Let time pass while nobody works, as a stopped process does."""
        self._jumping.now += seconds


def virtually(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


@dataclass
class FakeClock:
    """The loop's time; ``skew`` is how far this machine's wall clock is off, in seconds."""

    skew: float = 0.0

    def now(self) -> datetime:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        return start + timedelta(seconds=self.monotonic() + self.skew)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()
