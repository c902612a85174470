"""What the core says while it works. The core emits these; only ``output`` and ``cli`` print them.

Times are seconds since the run began (``elapsed``), so that the events of a run do not depend on a
clock; whoever prints them adds the wall clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envctl.model.cases import Report
    from envctl.model.failure import Failure
    from envctl.model.step import Outcome, Step


@dataclass(frozen=True, slots=True)
class Waiting:
    """One object that is awaited, and why it is not ready yet."""

    object: str
    reason: str


@dataclass(frozen=True, slots=True)
class GraphPlanned:
    """The steps of this run, in an order that respects their needs, before the first one starts."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepStarted:
    """An attempt began. ``attempt`` counts from 1; ``timeout`` is seconds."""

    step: Step
    attempt: int
    elapsed: float


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Something moved: what is being done, and what is still awaited and why."""

    step: Step
    attempt: int
    elapsed: float
    doing: str
    waiting: tuple[Waiting, ...] = ()
    ready: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class StepRetried:
    """An attempt (of the step or of one request in it) failed and is repeated in ``delay`` s."""

    step: Step | None
    attempt: int
    elapsed: float
    policy: str
    why: str
    delay: float


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended: ``seconds`` since its start, ``changed`` whether anything was written."""

    step: Step
    attempt: int
    elapsed: float
    outcome: Outcome
    seconds: float
    changed: bool = False
    message: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth saying that belongs to no attempt: drift, a repaired release, a warning."""

    level: str
    message: str
    elapsed: float
    step: Step | None = None
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a container of the environment wrote (checks and jobs show theirs).

    ``time`` is when the node took it in, RFC 3339 in UTC, where that was asked for.
    """

    step: Step | None
    elapsed: float
    component: str
    pod: str
    container: str
    line: str
    time: str = ""


@dataclass(frozen=True, slots=True)
class CasesRead:
    """The tests that a check has reported, its last run's."""

    step: Step
    elapsed: float
    report: Report


@dataclass(frozen=True, slots=True)
class RequestsCounted:
    """How many requests the run has sent to the API server so far, by verb (``get``, ``patch``)."""

    elapsed: float
    by_verb: dict[str, int]


@dataclass(frozen=True, slots=True)
class Spent:
    """Time that was spent on something outside, from ``began`` to ``elapsed``, for ``--timings``.

    ``kind`` is ``api`` (a request), ``helm`` or ``kustomize`` (a process), ``pause`` (before a
    retry), or a phase of a pod: ``scheduling``, ``init``, ``pull``, ``start``, ``readiness``,
    or ``run`` (of a Job's).
    """

    step: Step | None
    kind: str
    name: str
    began: float
    elapsed: float


Event = (
    GraphPlanned
    | StepStarted
    | StepProgress
    | StepRetried
    | StepFinished
    | Note
    | LogLine
    | CasesRead
    | RequestsCounted
    | Spent
)
Sink = Callable[[Event], None]
