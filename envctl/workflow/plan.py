"""``plan``: what ``up`` would do, object by object, with the server's idea of the difference."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from envctl.model import diff, record
from envctl.model.environment import COMPONENT, FIELD_MANAGER, NAME, PROJECT
from envctl.model.graph import order
from envctl.model.objects import Obj, Resource, key_of
from envctl.model.plan import ComponentPlan, FieldChange, ObjectChange, PlanResult
from envctl.ports import attempt
from envctl.ports.cluster import Invalid
from envctl.workflow import creating, planning, refusals, session

if TYPE_CHECKING:
    from envctl.config.load import Loaded
    from envctl.workflow.run import Run
    from envctl.workflow.session import World

_OURS = (PROJECT, NAME, COMPONENT)


async def plan(world: World, loaded: Loaded) -> PlanResult:
    """Compute what ``up`` would change; writes nothing, takes no lock."""
    async with session.reading(world, loaded) as run:
        if run.namespace is not None:
            creating.refuse_strangers(run, run.namespace)
        plans = await planning.plan(run, always_render=True)
        changes = [_namespace_change(run)]
        with attempt.within(math.inf, warned=run.engine.warned):
            for planned in plans:
                changes += await _component(run, planned)
        changes += _left(run)
        return PlanResult(
            environment={
                "project": run.environment.project,
                "name": run.environment.name,
                "namespace": run.environment.namespace,
                "url": run.environment.url,
            },
            order=tuple(order({c.name: c.needs for c in run.spec.components})),
            changes=tuple(changes),
            drift=tuple(str(drift) for planned in plans for drift in planned.drift),
        )


def _namespace_change(run: Run) -> ObjectChange:
    action = "unchanged" if run.namespace is not None else "create"
    return ObjectChange("", f"Namespace/{run.environment.namespace}", action)


async def _component(run: Run, planned: ComponentPlan) -> list[ObjectChange]:
    name = planned.component.name

    async def one(resource: Resource, obj: Obj) -> ObjectChange:
        if not planned.changed:
            return ObjectChange(name, str(key_of(obj)), "unchanged")
        async with run.slots:
            return await _object(run, planned, resource, obj)

    found = list(await asyncio.gather(*(one(r, o) for r, o in planned.objects)))
    kept = {key_of(obj) for _, obj in planned.objects}
    before = planned.before.entries if planned.before else ()
    return found + [
        ObjectChange(name, str(e), "delete") for e in before if e.key not in kept and e.uid
    ]


async def _object(run: Run, planned: ComponentPlan, resource: Resource, obj: Obj) -> ObjectChange:
    name, label = planned.component.name, str(key_of(obj))
    live = None
    if run.namespace is not None or not resource.namespaced:
        namespace = run.environment.namespace if resource.namespaced else ""
        live = planned.live.get(key_of(obj)) or await run.cluster.get(
            resource, obj["metadata"]["name"], namespace
        )
    if live is None:
        return ObjectChange(name, label, "create")
    manager = "helm" if planned.component.type == "helm" else FIELD_MANAGER
    wanted = _bare(obj) if manager == "helm" and obj["kind"] != "Ingress" else obj
    try:
        after = await run.cluster.apply(resource, wanted, force=True, dry_run=True, manager=manager)
    except Invalid as error:
        if resource.kind not in ("Job", "Pod"):
            namespace = run.environment.namespace if resource.namespaced else ""
            raise refusals.unchangeable(error, obj, name, namespace) from error
        return ObjectChange(name, label, "replace", (FieldChange("", None, error.why),))
    changed = diff.fields(live, after)
    return ObjectChange(name, label, "update" if changed else "unchanged", changed)


def _bare(obj: Obj) -> Obj:
    """The object as Helm will apply it: without the labels that envctl gives its own."""
    meta = obj["metadata"]
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k not in _OURS}
    return {**obj, "metadata": {**meta, "labels": labels}}


def _left(run: Run) -> list[ObjectChange]:
    """Components that left the file, and with them their objects."""
    known = {c.name for c in run.spec.components} | {record.GUARDRAILS}
    return [
        ObjectChange(name, str(entry), "delete")
        for name, deployed in run.store.record.components.items()
        if name not in known
        for entry in deployed.entries
    ]
