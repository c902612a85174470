"""Runs a graph of steps: as parallel as ``needs`` allows, each bounded, each telling what it does.

When a step fails, nothing new starts. Steps that are only waiting are cancelled, since their answer
no longer matters; steps that are writing finish their write first.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envctl.errors import CheckFailed, EnvctlError, Superseded, TimedOut, Unavailable
from envctl.model import servers
from envctl.model.events import (
    GraphPlanned,
    LogLine,
    Note,
    Sink,
    Spent,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
    Waiting,
)
from envctl.model.step import Outcome, Step
from envctl.ports import attempt, timing

if TYPE_CHECKING:
    from envctl.ports.clock import Clock

#: Seconds a step may overrun before it is stopped from outside, so that its own, inner timeouts
#: are the ones that explain.
NET = 5.0


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step ended; ``changed`` says whether it wrote anything."""

    step: Step
    outcome: Outcome
    seconds: float
    changed: bool = False
    error: EnvctlError | None = None


@dataclass(slots=True)
class StepContext:
    """What a running step may say, and how it tells that it is only waiting."""

    engine: Engine
    step: Step
    attempt: int = 1

    def progress(
        self, doing: str, waiting: Sequence[Waiting] = (), ready: int = 0, total: int = 0
    ) -> None:
        """Say what is being done and what is awaited."""
        self.engine.emit(
            StepProgress(
                self.step, self.attempt, self.engine.elapsed(), doing, tuple(waiting), ready, total
            )
        )

    def note(self, level: str, message: str, **fields: str) -> None:
        """Say something that is worth a line of its own; ``level`` as in logging."""
        self.engine.emit(Note(level, message, self.engine.elapsed(), self.step, fields))

    def line(self, pod: str, container: str, line: str) -> None:
        """Show a line that a container of the step wrote."""
        component = self.step.component or self.step.name
        self.engine.emit(LogLine(self.step, self.engine.elapsed(), component, pod, container, line))

    def retried(self, attempt: int, policy: str, why: str, delay: float) -> None:
        """Say that a request of this step is repeated."""
        self.engine.emit(StepRetried(self.step, attempt, self.engine.elapsed(), policy, why, delay))

    def warned(self, doing: str, text: str) -> None:
        """Say what the API server warns about, once in a run."""
        self.engine.warned(doing, text, self.step)

    def spent(self, kind: str, name: str, began: float, ended: float) -> None:
        """Say what time went into; the two are on ``time.monotonic``."""
        self.engine.spent(kind, name, began, ended, self.step)

    @asynccontextmanager
    async def only_waiting(self) -> AsyncIterator[None]:
        """Inside, nothing is written: the step may be cancelled when another one has failed."""
        task = asyncio.current_task()
        if self.engine.stopping or task is None:
            raise _Unwanted
        self.engine.waiters.add(task)
        try:
            yield
        finally:
            self.engine.waiters.discard(task)


class _Unwanted(Exception):
    """Another step failed while this one was between writing and waiting."""


Work = Callable[[StepContext], Awaitable[bool]]


@dataclass(slots=True)
class Engine:
    """Runs graphs and emits their events; one for each run of a verb."""

    clock: Clock
    emit: Sink
    started: float = 0.0
    stopping: bool = False
    waiters: set[asyncio.Task[None]] = field(default_factory=set)
    results: dict[str, StepResult] = field(default_factory=dict)
    #: What the API server warned about so far, each once.
    warnings: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.started = self.clock.monotonic()

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.clock.monotonic() - self.started

    def note(self, level: str, message: str, **fields: str) -> None:
        """Say something that belongs to no step."""
        self.emit(Note(level, message, self.elapsed(), None, fields))

    def warned(self, doing: str, text: str, step: Step | None = None) -> None:
        """Say what the API server warns about, once in a run."""
        words = servers.words(text)
        if words not in self.warnings:
            self.warnings.add(words)
            said = f"the API server was asked to {doing}, and warns: {words}"
            self.emit(Note("warning", said, self.elapsed(), step))

    def spent(
        self, kind: str, name: str, began: float, ended: float, step: Step | None = None
    ) -> None:
        """Say what time went into; begin and end are on ``time.monotonic``."""
        offset = self.elapsed() - time.monotonic()
        self.emit(Spent(step, kind, name, began + offset, ended + offset))

    async def run(self, works: Sequence[tuple[Step, Work]]) -> dict[str, StepResult]:
        """Run all steps to their end and return how each ended; raises only when cancelled."""
        self.stopping = False
        self.emit(GraphPlanned(tuple(step for step, _ in works)))
        done = {step.name: asyncio.Event() for step, _ in works}
        async with asyncio.TaskGroup() as group:
            for step, work in works:
                group.create_task(self._when_needed(step, work, done), name=step.name)
        return {step.name: self.results[step.name] for step, _ in works}

    async def _when_needed(self, step: Step, work: Work, done: dict[str, asyncio.Event]) -> None:
        for need in step.needs:
            if need in done:
                await done[need].wait()
        missing = [n for n in step.needs if n in self.results and not self.results[n].outcome.good]
        if missing or self.stopping:
            self._finish(StepResult(step, Outcome.SKIPPED, 0.0), 1, f"needs {', '.join(missing)}")
        else:
            await self._attempts(step, work)
        done[step.name].set()

    async def _attempts(self, step: Step, work: Work) -> None:
        context = StepContext(self, step)
        began = self.clock.monotonic()
        number = 1
        while True:
            self.emit(StepStarted(step, number, self.elapsed()))
            left = step.timeout - (self.clock.monotonic() - began)
            result = await self._attempt(step, work, number, left)
            result = replace(result, seconds=self.clock.monotonic() - began)
            delay = self._delay(step, number, result, step.timeout - result.seconds)
            if delay is None:
                break
            self.emit(
                StepRetried(step, number, self.elapsed(), step.retry.name, str(result.error), delay)
            )
            with timing.telling(context.spent), timing.measured("pause", step.retry.name):
                await asyncio.sleep(delay)
            number += 1
        if not result.outcome.good:
            self._stop()
        self._finish(result, number)

    async def _attempt(self, step: Step, work: Work, number: int, left: float) -> StepResult:
        context = StepContext(self, step, number)
        try:
            async with asyncio.timeout(left + NET):
                with (
                    attempt.within(left, context.retried, context.warned),
                    timing.telling(context.spent),
                ):
                    changed = await work(context)
        except TimeoutError:
            error = TimedOut(
                f"The step {step.name} did not end within its {step.timeout:.0f} s.",
                why="It was stopped from outside, in the middle of what it last reported.",
                next="Raise its timeout, or look at the lines above for what it hung on.",
            )
            return StepResult(step, Outcome.TIMED_OUT, 0.0, error=error)
        except _Unwanted:
            return StepResult(step, Outcome.CANCELLED, 0.0)
        except asyncio.CancelledError:
            if self.stopping:  # by us, not by the user
                return StepResult(step, Outcome.CANCELLED, 0.0)
            raise
        except EnvctlError as error:
            return StepResult(step, _outcome(error), 0.0, error=error)
        return StepResult(step, Outcome.SUCCEEDED if changed else Outcome.UNCHANGED, 0.0, changed)

    def _delay(self, step: Step, number: int, result: StepResult, left: float) -> float | None:
        if not isinstance(result.error, Unavailable) or number >= step.retry.attempts:
            return None
        delay = min(step.retry.cap, step.retry.first * 2 ** (number - 1))
        delay *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        # Seconds left now, not when the attempt began: a step never sleeps past its own timeout.
        return delay if delay < left and not self.stopping else None

    def _stop(self) -> None:
        self.stopping = True
        for task in self.waiters:
            task.cancel()

    def _finish(self, result: StepResult, number: int, message: str = "") -> None:
        self.results[result.step.name] = result
        error = result.error
        self.emit(
            StepFinished(
                result.step,
                number,
                self.elapsed(),
                result.outcome,
                result.seconds,
                result.changed,
                str(error) if error else message,
                error.failure if error else None,
            )
        )


def _outcome(error: EnvctlError) -> Outcome:
    if isinstance(error, Superseded):
        return Outcome.SUPERSEDED
    if isinstance(error, TimedOut):
        return Outcome.TIMED_OUT
    return Outcome.FAILED


def worst(results: Sequence[StepResult]) -> EnvctlError | None:
    """The error to end with: superseded before all, then the first that failed by itself."""
    errors = [result.error for result in results if result.error is not None]
    for kind in (Superseded, TimedOut):
        for error in errors:
            if isinstance(error, kind) and kind is Superseded:
                return error
    return next(
        (e for e in errors if not isinstance(e, CheckFailed)), errors[0] if errors else None
    )
