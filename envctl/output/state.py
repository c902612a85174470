"""What is known of a run so far: events folded, one at a time, into rows that can be drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envctl.model.events import (
    GraphPlanned,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
)

if TYPE_CHECKING:
    from envctl.model.events import Event, Waiting
    from envctl.model.step import Outcome, Step


@dataclass(frozen=True, slots=True)
class Row:
    """One step as it stands: pending without ``started``, ended with ``outcome``, else running."""

    step: Step
    attempt: int = 0
    started: float | None = None
    doing: str = ""
    waiting: tuple[Waiting, ...] = ()
    ready: int = 0
    total: int = 0
    retries: int = 0
    retry: StepRetried | None = None
    outcome: Outcome | None = None
    seconds: float = 0.0
    message: str = ""

    @property
    def running(self) -> bool:
        """Whether the step has begun and not ended."""
        return self.started is not None and self.outcome is None

    @property
    def pending(self) -> bool:
        """Whether the step has not begun."""
        return self.started is None and self.outcome is None

    @property
    def good(self) -> bool:
        """Whether the step ended as it should."""
        return self.outcome is not None and self.outcome.good


@dataclass(frozen=True, slots=True)
class RunState:
    """All rows by the names of their steps, in the order of the plan."""

    rows: dict[str, Row] = field(default_factory=dict)
    elapsed: float = 0.0

    def unfinished(self, step: Step) -> tuple[str, ...]:
        """The names of the steps that ``step`` still waits for."""
        return tuple(name for name in step.needs if name in self.rows and not self.rows[name].good)


def reduce(state: RunState, event: Event) -> RunState:
    """The state after ``event``; the old one is left as it was, so that it can be drawn meanwhile.

    Events of steps that were never announced add their row at the end.
    """
    if isinstance(event, GraphPlanned):
        rows = {step.name: state.rows.get(step.name, Row(step)) for step in event.steps}
        return replace(state, rows={**state.rows, **rows})
    elapsed = max(state.elapsed, event.elapsed)
    if not isinstance(event, StepStarted | StepProgress | StepRetried | StepFinished):
        return replace(state, elapsed=elapsed)
    if event.step is None:
        return replace(state, elapsed=elapsed)
    row = _after(state.rows.get(event.step.name, Row(event.step)), event)
    return RunState(rows={**state.rows, event.step.name: row}, elapsed=elapsed)


def _after(row: Row, event: StepStarted | StepProgress | StepRetried | StepFinished) -> Row:
    match event:
        case StepStarted():
            started = event.elapsed if row.started is None else row.started
            return replace(row, started=started, attempt=event.attempt, retry=None)
        case StepProgress():
            return replace(
                row,
                started=event.elapsed if row.started is None else row.started,
                attempt=event.attempt,
                doing=event.doing,
                waiting=event.waiting,
                ready=event.ready,
                total=event.total,
                retry=None,
            )
        case StepRetried():
            return replace(row, retries=row.retries + 1, retry=event)
        case StepFinished():
            return replace(
                row,
                started=event.elapsed - event.seconds if row.started is None else row.started,
                outcome=event.outcome,
                seconds=event.seconds,
                message=event.failure.verdict if event.failure else event.message,
                waiting=(),
                retry=None,
            )
