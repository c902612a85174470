"""Deploys one component: apply or release, wait until it is ready, prune, and put it on record."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

from envctl.errors import EnvctlError
from envctl.model import definitions, guardrails, obstacle, readiness
from envctl.model.objects import JOB, NAMESPACE, POD, Obj, Resource, annotations_of, key_of, uid_of
from envctl.model.plan import ComponentPlan, wave
from envctl.model.record import Deployed, Entry, entry_of
from envctl.ports import attempt
from envctl.ports.cluster import Conflict, Invalid, NotFound, WebhookDown
from envctl.workflow import hooks, joblogs, links, podtimes, refusals
from envctl.workflow.absence import until_gone
from envctl.workflow.releases import forget, recorded
from envctl.workflow.waiting import until_ready

if TYPE_CHECKING:
    from envctl.ports.sources import Releases
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run

Applied = list[tuple[Resource, Obj]]
DIGEST = "envctl.dev/digest"
#: Kinds whose template cannot be changed in place.
_RECREATED = ("Job", "Pod")
#: Kinds that name a role, which must be known by then; how often that, and what a definition has
#: just brought, is tried, with seconds between.
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
WATCH_TRIES, WATCH_PAUSE = 10, 0.3
#: Seconds between two rounds of asking a webhook that does not answer.
WEBHOOK_PAUSE = 1.0


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
        applied = await _release(run, context, planned)
    else:
        applied = await _apply_in_waves(run, context, planned)
    leading = await links.of(run, planned.component.name)
    async with joblogs.shown(run, context, applied):
        with podtimes.told(run, context, applied):
            await until_ready(run, context, applied, leading)
    await _prune(run, context, planned, applied)
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
        await uninstall(run, planned.component.name, context.step.timeout / 2)


async def uninstall(run: Run, name: str, timeout: float) -> None:
    """Uninstall a release of the environment."""
    await run.writer.fence.check()
    releases = cast("Releases", run.sources["helm"])
    await releases.uninstall(name, run.environment.namespace, timeout)


# Helm


async def _release(run: Run, context: StepContext, planned: ComponentPlan) -> Applied:
    component = planned.component
    releases = cast("Releases", run.sources["helm"])
    context.progress("helm upgrade --install", total=len(planned.objects))
    await run.writer.fence.check()
    run.writer.writes += 1
    async with hooks.watched(run, context, component.name, run.hooks.get(component.name, ())):
        manifest = await releases.deploy(
            component,
            run.environment,
            context.step.timeout,
            lambda text: context.note("warning", text),
            lambda made: forget(run, planned, made),
        )
    await recorded(run, component.name)
    applied = await asyncio.gather(*(_released(run, obj) for obj in manifest))
    extra = guardrails.ingress(component, run.spec)
    if extra is not None:
        wanted = [(r, o) for r, o in planned.objects if key_of(o).name == extra["metadata"]["name"]
                  and o["kind"] == "Ingress"]  # fmt: skip
        return [*applied, *await _apply_all(run, planned, wanted)]
    return list(applied)


async def _released(run: Run, obj: Obj) -> tuple[Resource, Obj]:
    """The live object behind one of the manifest: its UID, and who owns which field."""
    resource = await run.cluster.resource(obj["apiVersion"], obj["kind"])
    name = obj["metadata"]["name"]
    namespace = run.environment.namespace if resource.namespaced else ""
    async with run.slots:
        live = await run.cluster.get(resource, name, namespace)
    if live is None:
        raise EnvctlError(
            f"{obj['kind']}/{name} is gone right after Helm installed it.",
            why="Something in the cluster deletes it, or a second run works here.",
            next="Run the command again, and look at `kubectl get events` if it repeats.",
        )
    run.tracker.put(live)
    return resource, live


# Server-side apply


async def _apply_in_waves(run: Run, context: StepContext, planned: ComponentPlan) -> Applied:
    applied: Applied = []
    for number in range(3):
        batch = [(r, o) for r, o in planned.objects if wave(o) == number]
        if not batch:
            continue
        context.progress("applying", ready=len(applied), total=len(planned.objects))
        done = await _apply_all(run, planned, batch)
        if number == 0:
            await until_ready(run, context, done)
        applied += done
    return applied


async def _apply_all(run: Run, planned: ComponentPlan, batch: Applied) -> Applied:
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
        obj = stamped(obj, planned.digest)
        await remove_finished_job(run, obj, planned.digest)
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
        await _remove(run, resource, obj)
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
        await _remove(run, JOB, obj, live)


async def _remove(run: Run, resource: Resource, obj: Obj, live: Obj | None = None) -> None:
    """Delete what cannot be changed in place, its pods included, and wait until it is gone."""
    name = obj["metadata"]["name"]
    live = live or await run.cluster.get(resource, name, run.environment.namespace)
    if live is None:
        return
    await run.writer.delete(resource, name, uid=uid_of(live))
    await until_gone(run.cluster, resource, name, run.environment.namespace, uid_of(live))


# Pruning


async def _prune(run: Run, context: StepContext, planned: ComponentPlan, applied: Applied) -> None:
    """Delete what an earlier deployment made and the source no longer names."""
    if planned.before is None:
        return
    kept = {key_of(obj) for _, obj in applied}
    # The record may have been written ahead by a run that was killed: look at what it lists now.
    current = run.store.record.components.get(planned.component.name, planned.before)
    gone = [entry for entry in current.entries if entry.key not in kept]
    for entry in gone:
        if await delete_entry(run, entry):
            context.note("info", f"pruned {entry}, which left the source", object=str(entry))


async def delete_entry(run: Run, entry: Entry) -> bool:
    """Delete an object of the inventory, if it still is that object; False where it is gone."""
    if entry.resource.namespaced and entry.uid:
        return await run.writer.delete(entry.resource, entry.name, uid=entry.uid)

    async def find() -> list[Obj]:
        # Outside the namespace only labels prove whose it is: the record can be forged. Without
        # a UID it was written ahead, then killed: it may or may not have been applied.
        namespace = run.environment.namespace if entry.resource.namespaced else ""
        live = await run.cluster.get(entry.resource, entry.name, namespace)
        if live is None or (entry.uid and uid_of(live) != entry.uid):
            return []
        ours = _marked(run, live) if entry.resource.namespaced else run.writer.owns(live)
        return [live] if ours else []

    return bool(await run.writer.delete_owned(entry.resource, find))


def _marked(run: Run, live: Obj) -> bool:
    claimed = run.writer.claim(
        {"kind": live["kind"], "metadata": {"name": live["metadata"]["name"]}}, POD
    )
    wanted = claimed["metadata"]["labels"]
    found = live["metadata"].get("labels") or {}
    return all(found.get(key) == value for key, value in wanted.items())


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
        await uninstall(run, name, context.step.timeout)
    for entry in reversed(before.entries):
        await delete_entry(run, entry)
    await run.store.forget(name)
    return True
