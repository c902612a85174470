"""Tells what a start is doing, in the same events that a deployment uses."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from envctl.model.events import GraphPlanned, Note, StepFinished, StepProgress, StepStarted
from envctl.model.step import Outcome, Step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from envctl.model.events import Event

    Report = Callable[[str], None]


class Steps:
    """The steps of one start or build, in order. Times count from when it was made."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._began = time.monotonic()
        self._steps: dict[str, Step] = {}

    def plan(self, names: list[str], timeout: float) -> None:
        """Announce all steps; ``timeout`` is seconds, for each."""
        previous: tuple[str, ...] = ()
        for name in names:
            self._steps[name] = Step(name, timeout, previous)
            previous = (name,)
        self._emit(GraphPlanned(tuple(self._steps.values())))

    def note(self, message: str) -> None:
        """Something worth saying that belongs to no step."""
        self._emit(Note("info", message, self.elapsed))

    @asynccontextmanager
    async def running(self, name: str) -> AsyncIterator[Report]:
        """A step for the length of the block, which may say what it is doing."""
        step, began = self._steps[name], time.monotonic()
        self._emit(StepStarted(step, 1, self.elapsed))

        def report(doing: str) -> None:
            self._emit(StepProgress(step, 1, self.elapsed, doing))

        try:
            yield report
        except asyncio.CancelledError:
            self._finish(step, began, Outcome.CANCELLED)
            raise
        except BaseException as error:
            self._finish(step, began, Outcome.FAILED, str(error))
            raise
        self._finish(step, began, Outcome.SUCCEEDED)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def _finish(self, step: Step, began: float, outcome: Outcome, message: str = "") -> None:
        seconds = time.monotonic() - began
        changed = outcome is Outcome.SUCCEEDED
        self._emit(StepFinished(step, 1, self.elapsed, outcome, seconds, changed, message))
