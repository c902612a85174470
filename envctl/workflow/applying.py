"""Server-side apply of one component's objects, in waves: what others need comes first."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import definitions, obstacle
from envctl.model.objects import Obj, Resource, key_of
from envctl.model.plan import wave
from envctl.ports import attempt
from envctl.ports.cluster import Conflict, Invalid, NotFound, WebhookDown
from envctl.workflow import refusals, remaking
from envctl.workflow.waiting import until_ready

if TYPE_CHECKING:
    from envctl.model.plan import ComponentPlan
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run

Applied = list[tuple[Resource, Obj]]
#: Kinds whose template cannot be changed in place.
_RECREATED = ("Job", "Pod")
#: Kinds that name a role, which must be known by then; how often that, and what a definition has
#: just brought, is tried, with seconds between.
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
WATCH_TRIES, WATCH_PAUSE = 10, 0.3
#: Seconds between two rounds of asking a webhook that does not answer.
WEBHOOK_PAUSE = 1.0


async def in_waves(run: Run, context: StepContext, planned: ComponentPlan) -> Applied:
    """Apply a component's objects; what the next wave needs is ready before it."""
    applied: Applied = []
    for number in range(3):
        batch = [(r, o) for r, o in planned.objects if wave(o) == number]
        if not batch:
            continue
        context.progress("applying", ready=len(applied), total=len(planned.objects))
        done = await all_at_once(run, planned, batch)
        if number == 0:
            await until_ready(run, context, done)
        applied += done
    return applied


async def all_at_once(run: Run, planned: ComponentPlan, batch: Applied) -> Applied:
    """Apply a batch; raises the first refusal."""

    async def one(resource: Resource, obj: Obj) -> tuple[Resource, Obj]:
        async with run.slots:
            live = await _apply(run, planned, resource, obj)
        run.tracker.put(live)
        return resource, live

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(r, o)) for r, o in batch]
    except* EnvctlError as errors:
        raise errors.exceptions[0] from None  # the first object that was refused explains the rest
    return [task.result() for task in tasks]


async def _apply(run: Run, planned: ComponentPlan, resource: Resource, obj: Obj) -> Obj:
    if resource.kind == "Job" and planned.component.type == "job":
        obj = remaking.stamped(obj, planned.digest)
        await remaking.remove_finished_job(run, obj, planned.digest)
    try:
        return await _past_webhooks(run, resource, obj, force=key_of(obj) in planned.drifted)
    except Conflict as error:
        raise refusals.conflict(error, obj, planned.component.name) from error
    except NotFound:
        fresh = definitions.kinds(obj for _, obj in planned.objects)
        if resource.kind not in _BINDINGS and (resource.group, resource.kind) not in fresh:
            raise
        return await _known(run, resource, obj)
    except Invalid as error:
        if resource.kind not in _RECREATED or not error.fixed:
            namespace = run.environment.namespace if resource.namespaced else ""
            raise refusals.unchangeable(error, obj, planned.component.name, namespace) from error
        await remaking.remove(run, resource, obj)
        return await run.writer.apply(resource, obj)


async def _past_webhooks(run: Run, resource: Resource, obj: Obj, *, force: bool) -> Obj:
    """Apply; a webhook whose own pod restarts or is being moved gets its time."""
    began = run.clock.monotonic()
    while True:
        try:
            return await run.writer.apply(resource, obj, force=force)
        except WebhookDown as error:
            waited = run.clock.monotonic() - began
            late = attempt.remaining(WEBHOOK_PAUSE) < WEBHOOK_PAUSE
            if late or waited >= obstacle.WEBHOOK:
                raise refusals.unheard(error, waited, late=late) from error
            await asyncio.sleep(WEBHOOK_PAUSE)


async def _known(run: Run, resource: Resource, obj: Obj) -> Obj:
    """Apply again: an API server learns by a watch of a role, or a kind, that was just made."""
    for _ in range(WATCH_TRIES - 1):
        await asyncio.sleep(WATCH_PAUSE)
        with contextlib.suppress(NotFound):
            return await run.writer.apply(resource, obj)
    return await run.writer.apply(resource, obj)
