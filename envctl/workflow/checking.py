"""Checks: Jobs that say whether the deployed environment is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import CheckFailed, EnvctlError
from envctl.model.objects import JOB, digest
from envctl.model.record import Checked
from envctl.workflow import confining, deploying, joblogs
from envctl.workflow.waiting import until_ready

if TYPE_CHECKING:
    from envctl.model.spec import Check
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run


async def check(run: Run, context: StepContext, wanted: Check, *, again: bool) -> bool:
    """Run a check; False where nothing changed since it passed (unless ``again``).

    Raises CheckFailed when its Job fails or is late.
    """
    inputs = await _inputs(run, wanted)
    last = run.store.record.checks.get(wanted.name)
    if last is not None and last.passed and last.digest == inputs and not again:
        return False
    began = run.clock.monotonic()
    try:
        await _run_job(run, context, wanted, inputs, again=again)
    except EnvctlError as error:
        if error.failure is None:
            raise
        seconds = run.clock.monotonic() - began
        await run.store.checked(wanted.name, Checked(inputs, passed=False, seconds=seconds))
        raise CheckFailed(
            f"The check {wanted.name} did not pass: {error.what}",
            next=error.next, failure=error.failure,
        ) from error  # fmt: skip
    seconds = run.clock.monotonic() - began
    await run.store.checked(wanted.name, Checked(inputs, passed=True, seconds=round(seconds, 3)))
    return True


async def _inputs(run: Run, wanted: Check) -> str:
    """A digest of the check and of everything that it checks."""
    own = await run.sources["check"].fingerprint(wanted, run.environment)
    parts = {name: d.digest for name, d in run.store.record.components.items()}
    return digest([own, parts])


async def _run_job(
    run: Run, context: StepContext, wanted: Check, inputs: str, *, again: bool
) -> None:
    rendered = await run.sources["check"].render(wanted, run.environment)
    confining.refuse_objects(run, rendered.objects[:1], ())
    job = deploying.stamped(run.writer.claim(rendered.objects[0], JOB, wanted.name), inputs)
    run.tracker.ensure([JOB])
    await deploying.remove_finished_job(run, job, inputs, always=again)
    live = await run.writer.apply(JOB, job)
    run.tracker.put(live)
    async with joblogs.shown(run, context, [(JOB, live)]):
        await until_ready(run, context, [(JOB, live)])
