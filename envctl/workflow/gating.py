"""What becomes of a check's numbers: gates judge them, and good ones are the next baseline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from envctl.errors import CheckFailed
from envctl.model import sampling
from envctl.model.failure import Culprit, Failure
from envctl.model.measured import Measured
from envctl.model.words import count
from envctl.workflow import baseline
from envctl.workflow.run import Judged

if TYPE_CHECKING:
    from envctl.model.gates import Verdict
    from envctl.model.measured import Runs
    from envctl.model.record import Checked
    from envctl.model.sampling import Samples
    from envctl.model.spec import Check
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run

#: Gates that a failure names, as it names three culprits; the table of the checks has them all.
MOST_NAMED = 3


async def judged(run: Run, context: StepContext, wanted: Check, checked: Checked) -> None:
    """Judge a check whose Job has ended well, and remember it where that changed something.

    Raises CheckFailed where a gate failed.
    """
    run.judged[wanted.name] = await _judged(run, wanted, checked)
    verdicts = run.judged[wanted.name].verdicts
    for verdict in verdicts:
        level = "info" if verdict.result == "passed" else "warning"
        context.note(level, f"gate {verdict.gate} {_WORDS[verdict.result]}: {verdict.why}")
    refused = tuple(f"{v.gate}: {v.why}" for v in verdicts if v.result == "failed")
    found = replace(checked, refused=refused)
    if found != run.store.record.checks.get(wanted.name):
        if found.good and found.metrics and run.lock is not None:
            await run.lock.measured(wanted.name, _measured(run, wanted, found))
        await run.store.checked(wanted.name, found)
    if refused:
        raise _refused(wanted, [v for v in verdicts if v.result == "failed"])


def _refused(wanted: Check, failed: list[Verdict]) -> CheckFailed:
    others = f", and {count(len(failed) - 1, 'other gate')} failed" * (len(failed) > 1)
    what = f"The check {wanted.name} measured what its gate refuses: {failed[0].why}{others}."
    next_ = "Improve what is measured, or change the gate; `envctl test` measures it again."
    culprits = tuple(
        Culprit(f"Check/{wanted.name}", "", "GateFailed", f"{gate.gate}: {gate.why}")
        for gate in failed[:MOST_NAMED]
    )
    return CheckFailed(what, next=next_, failure=Failure(what, culprits, next_))


_WORDS = {"passed": "passed", "failed": "failed", "unknown": "could not be judged"}


async def _judged(run: Run, wanted: Check, checked: Checked) -> Judged:
    history = await _history(run, wanted, checked)
    before = _samples(history[-1]) if history and _compares(wanted) else None
    known = run.store.record.checks
    others = {name: _samples(known[name]) for name in wanted.needs if name in known}
    here = _samples(checked)
    verdicts = tuple(sampling.judge(gate, here, before, others) for gate in wanted.gates)
    return Judged(verdicts, history)


def _samples(found: Checked | Measured) -> Samples:
    return {**{name: (value,) for name, value in found.metrics}, **dict(found.samples)}


async def _history(run: Run, wanted: Check, checked: Checked) -> tuple[Measured, ...]:
    """What the check measured when it was good, by the same definition; the last is the baseline.

    A run that is looked at again is no baseline of its own: the verdict stays what it was.
    """
    found = await _runs(run) if _compares(wanted) else _own(run)
    return tuple(
        one
        for one in found.get(wanted.name, ())
        if one.definition == wanted.definition and not _same(one, checked)
    )


def _compares(wanted: Check) -> bool:
    return any(gate.compares for gate in wanted.gates)


def _own(run: Run) -> Runs:
    return run.lock.runs() if run.lock is not None else {}


def _same(one: Measured, checked: Checked) -> bool:
    shown = (checked.metrics, checked.samples, checked.seconds)
    return (one.metrics, one.samples, one.seconds) == shown


async def _runs(run: Run) -> Runs:
    """The good runs that this change is compared with: the target branch's, or its own."""
    environment, candidates = run.environment, run.loaded.ci.baselines()
    if environment.name in candidates or not candidates:
        return _own(run)
    name_of = environment.project, environment.namespace
    return (await baseline.runs(run.cluster, *name_of, candidates))[1]


def _measured(run: Run, wanted: Check, checked: Checked) -> Measured:
    environment = run.environment
    at = run.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return Measured(
        checked.metrics, checked.seconds, wanted.definition, environment.commit, at, checked.samples
    )
