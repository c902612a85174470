"""What a run's artifacts need of it: how each step ended, retries, requests, last log lines."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from envctl.model.events import (
    CasesRead,
    GraphPlanned,
    LogLine,
    RequestsCounted,
    Spent,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
)
from envctl.model.gcresult import GcResult
from envctl.model.result import DownResult, UpResult

if TYPE_CHECKING:
    from envctl.errors import EnvctlError
    from envctl.model.cases import Report
    from envctl.model.events import Event, Waiting
    from envctl.model.evidence import Evidence
    from envctl.model.result import CheckResult
    from envctl.model.step import Step

#: Log lines kept of a step, for its test case in the JUnit report.
MAX_LOG_LINES = 500
#: Stretches of time kept for ``--timings``.
MAX_SPENT = 20_000


class Recorder:
    """The memory of a run; bounded, however long its logs are."""

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}
        self.finished: dict[str, StepFinished] = {}
        self.retries: Counter[tuple[str, str]] = Counter()
        self.requests: dict[str, int] = {}
        self.spent: list[Spent] = []
        self.logs: dict[str, deque[LogLine]] = {}
        self.reports: dict[str, Report] = {}
        self.result: UpResult | DownResult | GcResult | None = None
        self.error: EnvctlError | None = None
        self.awaited: dict[str, tuple[Waiting, ...]] = {}
        self.evidence: Evidence | None = None
        self.elapsed = 0.0

    def emit(self, event: Event) -> None:
        """Take an event in."""
        self.elapsed = max(self.elapsed, getattr(event, "elapsed", 0.0))
        match event:
            case GraphPlanned():
                self.steps |= {step.name: step for step in event.steps}
            case StepStarted():
                self.steps.setdefault(event.step.name, event.step)
            case StepProgress(waiting=waiting):
                self.awaited[event.step.name] = waiting
            case StepRetried():
                self.retries[event.step.name if event.step else "", event.policy] += 1
            case StepFinished():
                self.steps.setdefault(event.step.name, event.step)
                self.finished[event.step.name] = event
            case Spent() if len(self.spent) < MAX_SPENT:
                self.spent.append(event)
            case RequestsCounted():
                self.requests = dict(event.by_verb)
            case LogLine(step=step) if step is not None:
                kept = self.logs.setdefault(step.name, deque(maxlen=MAX_LOG_LINES))
                kept.append(event)
            case CasesRead():
                self.reports[event.step.name] = event.report
            case _:
                pass

    def remember(self, result: object) -> None:
        """Keep how the run ended, if it ended with such a result."""
        if isinstance(result, UpResult | DownResult | GcResult):
            self.result = result

    def unfinished(self) -> list[str]:
        """What the steps that have not ended were waiting for, a sentence each."""
        return [
            f"{item.object}: {item.reason}"
            for step, waiting in self.awaited.items()
            if step not in self.finished
            for item in waiting
        ]

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        """The checks of the result, where it has some."""
        return getattr(self.result, "checks", ())

    @property
    def collected(self) -> dict[str, int]:
        """How many environments gc has deleted, kept, found stuck and so on; empty for others."""
        return self.result.counts() if isinstance(self.result, GcResult) else {}

    @property
    def outcome(self) -> str:
        """How the run ended, in the word of its result; ``error`` where it came to none."""
        return self.result.result if self.result else "error"

    @property
    def requests_by_verb(self) -> dict[str, int]:
        """Requests by verb; under ``all``, where only their number is known."""
        if self.requests:
            return self.requests
        total = getattr(self.result, "api_requests", 0)
        return {"all": total} if total else {}
