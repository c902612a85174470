"""One component as a Helm release: installed or upgraded, found again, taken away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from envctl.errors import EnvctlError
from envctl.model import guardrails
from envctl.model.objects import Obj, Resource, key_of
from envctl.workflow import applying, hooks
from envctl.workflow.releases import ReleaseRecords

if TYPE_CHECKING:
    from envctl.model.plan import ComponentPlan
    from envctl.ports.sources import Releases
    from envctl.workflow.applying import Applied
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run


async def release(run: Run, context: StepContext, planned: ComponentPlan) -> Applied:
    """Bring a release to what the file says; its live objects."""
    component = planned.component
    releases = cast("Releases", run.sources["helm"])
    records = ReleaseRecords(run, planned)
    context.progress("helm upgrade --install", total=len(planned.objects))
    await run.writer.fence.check()
    run.writer.writes += 1
    async with hooks.watched(run, context, component.name, run.hooks.get(component.name, ())):
        manifest = await releases.deploy(
            component,
            run.environment,
            context.step.timeout,
            lambda text: context.note("warning", text),
            records,
        )
    await records.deployed()
    applied = await asyncio.gather(*(_released(run, obj) for obj in manifest))
    extra = guardrails.ingress(component, run.spec)
    if extra is not None:
        wanted = [(r, o) for r, o in planned.objects if key_of(o).name == extra["metadata"]["name"]
                  and o["kind"] == "Ingress"]  # fmt: skip
        return [*applied, *await applying.all_at_once(run, planned, wanted)]
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


async def uninstall(run: Run, name: str, timeout: float) -> None:
    """Uninstall a release of the environment."""
    await run.writer.fence.check()
    releases = cast("Releases", run.sources["helm"])
    await releases.uninstall(name, run.environment.namespace, timeout)
