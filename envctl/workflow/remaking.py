"""What cannot be changed in place: a Job or a Pod makes way for the one that comes after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import readiness
from envctl.model.objects import JOB, Obj, Resource, annotations_of, uid_of
from envctl.workflow.absence import until_gone

if TYPE_CHECKING:
    from envctl.workflow.run import Run

DIGEST = "envctl.dev/digest"


def stamped(obj: Obj, inputs: str) -> Obj:
    """The Job with the digest of what it runs for, so that a later run knows it again."""
    meta = obj["metadata"]
    notes = {**(meta.get("annotations") or {}), DIGEST: inputs}
    return {**obj, "metadata": {**meta, "annotations": notes}}


async def remove_finished_job(run: Run, obj: Obj, inputs: str, *, always: bool = False) -> None:
    """Make way for a Job whose inputs changed or whose last run failed (``always``: ended).

    One that a killed run left going for the same inputs is taken over instead.
    """
    live = await run.cluster.get(JOB, obj["metadata"]["name"], run.environment.namespace)
    if live is None:
        return
    same = annotations_of(live).get(DIGEST) == inputs
    state = readiness.assess(live).state
    ended = state is not readiness.State.WAITING
    if not same or state is readiness.State.DOOMED or (always and ended):
        await remove(run, JOB, obj, live)


async def remove(run: Run, resource: Resource, obj: Obj, live: Obj | None = None) -> None:
    """Delete what cannot be changed in place, its pods included, and wait until it is gone."""
    name = obj["metadata"]["name"]
    live = live or await run.cluster.get(resource, name, run.environment.namespace)
    if live is None:
        return
    await run.writer.delete(resource, name, uid=uid_of(live))
    await until_gone(run.cluster, resource, name, run.environment.namespace, uid_of(live))
