"""A check that is a command: run where envctl runs, shown as it goes, explained where it fails."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from envctl.errors import EnvctlError, TimedOut
from envctl.model import cases, measures, readings
from envctl.model.cases import Report
from envctl.model.events import CasesRead
from envctl.model.failure import Culprit, Failure
from envctl.model.telling import telling
from envctl.model.words import count
from envctl.ports import attempt
from envctl.ports.sources import Ran
from envctl.workflow.hiding import hidden_in

if TYPE_CHECKING:
    from envctl.model.cases import Case
    from envctl.model.measures import Measures, Samples
    from envctl.model.redact import Hidden
    from envctl.model.spec import Check, CommandSource
    from envctl.ports.sources import Commands
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run

#: Lines of a command that are shown, its first; there is no other place where the rest could be.
MAX_LINES = 2000
#: Lines that a failure shows of the command, or of each test that failed.
PROOF = 20
#: Failed tests that are culprits; all are in the JUnit report.
NAMED = 3
#: Seconds that are kept of the step's, to say what the command was doing when it was ended.
RESERVE = 2.0


@dataclass(slots=True)
class _One:
    """One run of the command: what it writes is shown as far as it goes, and its end is kept."""

    context: StepContext
    wanted: Check
    hidden: Hidden
    index: int
    count: int = 0
    last: deque[str] = field(default_factory=lambda: deque(maxlen=readings.LINES))
    ran: Ran = field(default_factory=lambda: Ran(0))
    late: bool = False
    report: Report = field(default_factory=Report)

    def line(self, text: str) -> None:
        """Take one line."""
        shown = self.hidden.mask(text)
        self.last.append(shown)
        self.count += 1
        if self.count <= MAX_LINES:
            self.context.line(self.wanted.name, "command", shown)

    def note(self, level: str, text: str) -> None:
        """Say something of this check."""
        self.context.note(level, f"{self.wanted.name}: {text}")

    @property
    def passed(self) -> bool:
        """Whether it ended by itself and well."""
        return not self.late and self.ran.code == 0


async def commanded(
    run: Run, context: StepContext, wanted: Check
) -> tuple[Measures, Samples, EnvctlError | None]:
    """Run it as often as it is to be run; its numbers, and why it did not pass, if it did not.

    Of several runs the numbers are the medians, and the samples what they are made of.
    """
    hidden = await hidden_in(run.cluster, run.environment.namespace)
    found: list[Measures] = []
    error: EnvctlError | None = None
    for index in range(wanted.runs):
        one = _One(context, wanted, hidden, index)
        await _run(run, one)
        found.append(_numbers(one))
        if not one.passed:
            error = _failed(one)
            break
    if wanted.runs == 1:
        return measures.merged(found), (), error
    samples = measures.sampled(found)
    return measures.medians(samples), samples, error


async def _run(run: Run, one: _One) -> None:
    commands = cast("Commands", run.sources["command"])
    timeout = max(0.1, attempt.remaining(one.wanted.timeout) - RESERVE)
    try:
        variables = _variables(run, one.index)
        one.ran = await commands.run(one.wanted, variables, timeout, one.line)
    except TimedOut:
        one.late = True
    if one.count > MAX_LINES:
        one.note("info", f"{count(one.count - MAX_LINES, 'line')} more, not shown")
    if one.ran.report:
        _read_report(one)


def _read_report(one: _One) -> None:
    """Take in the tests that it has reported, without what the environment's Secrets hold."""
    try:
        found = cases.read(one.ran.report)
    except cases.NoReport as error:
        one.note("warning", f"its JUnit report cannot be read: {error}")
        return
    masked = tuple(case.masked(one.hidden.mask) for case in found.cases)
    one.report = replace(found, cases=masked)
    one.context.engine.emit(CasesRead(one.context.step, one.context.engine.elapsed(), one.report))
    if one.passed and one.report.bad:
        one.note("warning", f"it ended well, and its report has {_of(one.report)}")


def _variables(run: Run, index: int) -> dict[str, str]:
    environment = run.environment
    return {
        "ENVCTL_PROJECT": environment.project,
        "ENVCTL_NAME": environment.name,
        "ENVCTL_NAMESPACE": environment.namespace,
        "ENVCTL_CONTEXT": run.cluster.context,
        "ENVCTL_URL": environment.url,
        "ENVCTL_RUN_INDEX": str(index),
    }


def _numbers(one: _One) -> Measures:
    """Those of the report's properties, then of the output or of the file; the last one counts."""
    form, text = one.wanted.metrics, one.ran.metrics
    if form != readings.TERMINATION:
        reading = readings.read(form, one.last)
    elif text.lstrip().startswith("{"):
        reading = readings.read("json", [" ".join(map(one.hidden.mask, text.splitlines()))])
    else:
        reading = readings.read("logfmt", map(one.hidden.mask, text.splitlines()))
    for complaint in reading.complaints():
        one.note("warning", f"of its numbers, {complaint}")
    return measures.merged([one.report.metrics, reading.metrics])


def _failed(one: _One) -> EnvctlError:
    source = cast("CommandSource", one.wanted.source)
    code = one.ran.code
    if one.late:
        reason, message = "TimedOut", f"the command had not ended within {one.wanted.timeout:.0f} s"
    elif code < 0:
        reason, message = "Killed", f"the command was ended by signal {-code}"
    elif one.report.bad:
        reason, message = "Error", _of(one.report)
    else:
        reason, message = "Error", f"the command ended with exit code {code}"
    if one.wanted.runs > 1:
        message += f" in run {one.index + 1} of {one.wanted.runs}"
    next_ = f"Correct what its last lines say, or run it by hand: {' '.join(source.argv)[:200]}"
    what = f"Check/{one.wanted.name}: {message}."
    culprits = tuple(_culprit(case) for case in one.report.bad[:NAMED])
    if not culprits or one.late:
        logs = telling(list(one.last), PROOF)
        name = f"Check/{one.wanted.name}"
        culprits = (Culprit(name, "", reason, message, logs=logs, next=next_),)
    return EnvctlError(what, next=next_, failure=Failure(what, culprits, next_))


def _culprit(case: Case) -> Culprit:
    reason = "Failed" if case.outcome == "failed" else "Error"
    logs = tuple(case.text.splitlines()[-PROOF:])
    return Culprit(f"Test/{case.title}", "", reason, case.message or "it failed", logs=logs)


def _of(report: Report) -> str:
    bad = report.bad
    names = ", ".join(case.title for case in bad[:NAMED])
    more = " and others" if len(bad) > NAMED else ""
    return f"{len(bad)} of {count(report.total, 'test')} failed, {names}{more}"
