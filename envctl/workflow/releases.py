"""What the workflows do about Helm's releases beside Helm itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import Unavailable
from envctl.model import helm
from envctl.model.objects import SECRET, Obj, annotations_of, labels_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.plan import ComponentPlan
    from envctl.workflow.run import Run

_CLAIM = "PersistentVolumeClaim"


async def forget(run: Run, planned: ComponentPlan, made: Sequence[Obj]) -> None:
    """Take the records of a release away, so that Helm installs it and runs the hooks of that.

    What it has made stays, and Helm adopts it by its own notes on it. ``made`` is what the newest
    record lists: of that, what the chart has no more goes now, as afterwards nobody would know
    of it. Claims stay, whatever the chart says.
    """
    wanted = {(obj["kind"], obj["metadata"]["name"]) for _, obj in planned.objects}
    for obj in made:
        if (obj["kind"], obj["metadata"]["name"]) not in wanted and obj["kind"] != _CLAIM:
            await _delete(run, planned.component.name, obj)
    for record in await _records(run, planned.component.name):
        await run.writer.delete(SECRET, record["metadata"]["name"], uid=uid_of(record))


async def recorded(run: Run, name: str) -> None:
    """Raise Unavailable unless Helm's record says that the release is deployed.

    Helm does not look whether the cluster takes its last write: it then ends well, and leaves a
    release that looks as if it had been killed.
    """
    records = await _records(run, name)
    statuses = {int(labels["version"]): labels["status"] for labels in map(labels_of, records)}
    status = statuses[max(statuses)] if statuses else "deployed"
    if status != "deployed":
        raise Unavailable(
            f"Helm did not record that {name} is deployed.",
            why=f"It ended well, but its record says {status}: its last write was lost.",
            next="Run the command again.",
        )


async def _records(run: Run, name: str) -> list[Obj]:
    selector = f"{helm.SELECTOR},name={name}"
    namespace = run.environment.namespace
    return await run.cluster.list(SECRET, namespace, selector=selector, metadata_only=True)


async def _delete(run: Run, release: str, obj: Obj) -> None:
    """Delete an object of the release, if it carries Helm's note that it is."""
    resource = await run.cluster.resource(obj["apiVersion"], obj["kind"])
    namespace = run.environment.namespace if resource.namespaced else ""
    live = await run.cluster.get(resource, obj["metadata"]["name"], namespace)
    notes = annotations_of(live or {})
    mine = notes.get("meta.helm.sh/release-name") == release and (
        notes.get("meta.helm.sh/release-namespace") == run.environment.namespace
    )
    if live is not None and mine:
        await run.writer.delete(resource, live["metadata"]["name"], uid=uid_of(live))
