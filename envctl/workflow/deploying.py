"""Deploys one component: apply or release, wait until it is ready, prune, and put it on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import definitions, readiness
from envctl.model.objects import NAMESPACE, uid_of
from envctl.model.record import Deployed, Entry, entry_of
from envctl.workflow import applying, joblogs, links, podtimes, pruning, releasing
from envctl.workflow.waiting import until_ready

if TYPE_CHECKING:
    from envctl.model.plan import ComponentPlan
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run


async def deploy(run: Run, context: StepContext, planned: ComponentPlan) -> bool:
    """Bring one component to what the file says; False where nothing was to be done."""
    if not planned.changed:
        await _still_ready(run, context, planned)
        return False
    for drift in planned.drift:
        context.note("warning", f"drift: {drift}; it is put back", object=str(drift.key))
    await _same_namespace(run)
    fresh = definitions.kinds(obj for _, obj in planned.objects)  # which cannot be watched yet
    awaited = {r for r, o in planned.objects if not readiness.is_static(o)}
    run.tracker.ensure({r for r in awaited if (r.group, r.kind) not in fresh})
    await _clear_the_way(run, context, planned)
    if planned.component.type == "helm":
        applied = await releasing.release(run, context, planned)
    else:
        applied = await applying.in_waves(run, context, planned)
    leading = await links.of(run, planned.component.name)
    async with joblogs.shown(run, context, applied):
        with podtimes.told(run, context, applied):
            await until_ready(run, context, applied, leading)
    await pruning.prune(run, context, planned, applied)
    entries = tuple(entry_of(obj, resource) for resource, obj in applied)
    await run.store.deployed(
        planned.component.name,
        Deployed(planned.component.type, planned.digest, complete=True, entries=entries),
    )
    return True


async def _same_namespace(run: Run) -> None:
    """Raise unless the namespace is still the one that was planned for.

    A create or an apply can name no such precondition: this is asked right before the first.
    """
    live = await run.cluster.get(NAMESPACE, run.environment.namespace)
    if uid_of(live or {}) != run.namespace_uid:
        raise EnvctlError(
            f"The namespace {run.environment.namespace!r} is another one by now.",
            why="Somebody deleted the environment while this run worked on it.",
            next="Run the command again.",
        )


async def _still_ready(run: Run, context: StepContext, planned: ComponentPlan) -> None:
    """Nothing changed; yet what is there must be ready before it counts as such."""
    entries = planned.before.entries if planned.before else ()
    live = [(e.resource, planned.live[e.key]) for e in entries if e.key in planned.live]
    unready = [(r, o) for r, o in live if not readiness.assess(o).ready]
    if unready:
        for _, obj in unready:
            run.tracker.put(obj)
        await until_ready(run, context, unready)


async def _clear_the_way(run: Run, context: StepContext, planned: ComponentPlan) -> None:
    """A component that becomes another type first gives up what Helm manages."""
    before = planned.before
    if before and before.type == "helm" and planned.component.type != "helm":
        context.note("info", f"{planned.component.name} is no Helm release any more: uninstalling")
        await releasing.uninstall(run, planned.component.name, context.step.timeout / 2)


def ahead(planned: ComponentPlan) -> Deployed:
    """What goes on record before the first write of a component's deployment."""
    before = planned.before or Deployed(planned.component.type, "", complete=False)
    coming: tuple[Entry, ...] = ()
    if planned.component.type != "helm":  # Helm keeps its own inventory and prunes by it
        coming = tuple(
            Entry(r, o["metadata"].get("namespace", ""), o["metadata"]["name"])
            for r, o in planned.objects
        )
    return before.started(planned.component.type, coming)


async def remove_component(run: Run, context: StepContext, name: str) -> bool:
    """Take away a component that left the file."""
    before = run.store.record.components[name]
    context.note("info", f"the component {name} left envctl.yaml; it is taken away")
    if before.type == "helm":
        await releasing.uninstall(run, name, context.step.timeout)
    for entry in reversed(before.entries):
        await pruning.delete_entry(run, entry)
    await run.store.forget(name)
    return True
