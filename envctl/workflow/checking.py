"""Checks: Jobs and commands that say whether the deployed environment is good."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from envctl.errors import CheckFailed, EnvctlError
from envctl.model import readings
from envctl.model.objects import JOB, Obj, digest
from envctl.model.record import Checked
from envctl.workflow import confining, gating, joblogs, measuring, podtimes, remaking
from envctl.workflow.waiting import until_ready

if TYPE_CHECKING:
    from envctl.model.spec import Check
    from envctl.ports.sources import Commands
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run


async def foreseen(run: Run) -> None:
    """Raise what would keep a check from starting; before anything is written, while it is cheap.

    ConfigError for a file that is no Job or a program that is not there, Refused for what a
    confined environment may not have.
    """
    for wanted in run.spec.checks:
        if wanted.type == "command":
            cast("Commands", run.sources["command"]).require(wanted)
        else:
            await _rendered(run, wanted)


async def check(run: Run, context: StepContext, wanted: Check, *, again: bool) -> bool:
    """Run a check; False where nothing changed since it passed (unless ``again``).

    Its gates are judged each time: they, and the baseline, may have changed. Raises CheckFailed
    when what it runs fails or is late, or when a gate does.
    """
    inputs = await _inputs(run, wanted)
    last = run.store.record.checks.get(wanted.name)
    if last is not None and last.passed and last.digest == inputs and not again:
        await gating.judged(run, context, wanted, last)
        return False
    ended = _command if wanted.type == "command" else _job
    found, error = await ended(run, context, wanted, inputs, again=again)
    if error is not None:
        await run.store.checked(wanted.name, replace(found, passed=False))
        raise CheckFailed(
            f"The check {wanted.name} did not pass: {error.what}",
            next=error.next, failure=error.failure,
        ) from error  # fmt: skip
    await gating.judged(run, context, wanted, found)
    return True


async def _job(
    run: Run, context: StepContext, wanted: Check, inputs: str, *, again: bool
) -> tuple[Checked, EnvctlError | None]:
    """Run the check's Job to its end; what it measured, and why it did not pass, if so."""
    began, failed = run.clock.monotonic(), None
    job = await _start(run, wanted, inputs, again=again)
    try:
        async with joblogs.shown(run, context, [(JOB, job)]):
            with podtimes.told(run, context, [(JOB, job)]):
                await until_ready(run, context, [(JOB, job)])
    except EnvctlError as error:
        if error.failure is None:
            raise
        failed = error
    checked = Checked(inputs, passed=True, seconds=_since(run, began))
    return await measuring.measured(run, context, wanted, job, checked), failed


async def _command(
    run: Run, context: StepContext, wanted: Check, inputs: str, *, again: bool
) -> tuple[Checked, EnvctlError | None]:
    """The same for a check that is a command."""
    from envctl.workflow import commanding  # and with it the reading of JUnit

    del again  # nothing of an earlier run is left that could stand for this one
    began = run.clock.monotonic()
    metrics, samples, failed = await commanding.commanded(run, context, wanted)
    seconds = _since(run, began)
    checked = Checked(inputs, passed=True, seconds=seconds, metrics=metrics, samples=samples)
    return checked, failed


def _since(run: Run, began: float) -> float:
    return round(run.clock.monotonic() - began, 3)


async def _inputs(run: Run, wanted: Check) -> str:
    """A digest of the check and of everything that it checks."""
    own = await run.sources[wanted.type].fingerprint(wanted, run.environment)
    parts = {name: d.digest for name, d in run.store.record.components.items()}
    how = [wanted.runs, wanted.metrics]
    return digest([own, parts, *([] if how == [1, readings.TERMINATION] else how)])


async def _start(run: Run, wanted: Check, inputs: str, *, again: bool) -> Obj:
    runs = _repeated(await _rendered(run, wanted), wanted.runs)
    job = remaking.stamped(run.writer.claim(runs, JOB, wanted.name), inputs)
    run.tracker.ensure([JOB])
    await remaking.remove_finished_job(run, job, inputs, always=again)
    live = await run.writer.apply(JOB, job)
    run.tracker.put(live)
    return live


async def _rendered(run: Run, wanted: Check) -> Obj:
    rendered = await run.sources["check"].render(wanted, run.environment)
    confining.refuse_objects(run, rendered.objects[:1], ())
    return rendered.objects[0]


def _repeated(job: Obj, runs: int) -> Obj:
    """The Job that runs as often: an Indexed one, a pod for each run and one at a time.

    https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
    """
    if runs == 1:
        return job
    several = {"completions": runs, "parallelism": 1, "completionMode": "Indexed"}
    return {**job, "spec": {**job["spec"], **several}}
