"""What left the source is deleted: by the record of what was made, and only if it is still that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.objects import POD, Obj, key_of, uid_of

if TYPE_CHECKING:
    from envctl.model.plan import ComponentPlan
    from envctl.model.record import Entry
    from envctl.workflow.applying import Applied
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run


async def prune(run: Run, context: StepContext, planned: ComponentPlan, applied: Applied) -> None:
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
