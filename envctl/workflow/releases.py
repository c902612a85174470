"""What the workflows do about Helm's releases beside Helm itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.errors import Unavailable
from envctl.model import helm
from envctl.model.objects import SECRET, Obj, annotations_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.plan import ComponentPlan
    from envctl.workflow.run import Run

_CLAIM = "PersistentVolumeClaim"


@dataclass(frozen=True, slots=True)
class ReleaseRecords:
    """The records of one release; see ``envctl.ports.sources.Records``."""

    run: Run
    planned: ComponentPlan

    async def history(self) -> list[tuple[int, str]]:
        """The revisions and their statuses as of now, oldest first."""
        return helm.history(await self._records())

    async def forget(self, made: Sequence[Obj]) -> None:
        """Take the records away, so that Helm installs the release and runs the hooks of that.

        What it has made stays, and Helm adopts it by its own notes on it. ``made`` is what the
        newest record lists: of that, what the chart has no more goes now, as afterwards nobody
        would know of it. Claims stay, whatever the chart says.
        """
        wanted = {(obj["kind"], obj["metadata"]["name"]) for _, obj in self.planned.objects}
        for obj in made:
            if (obj["kind"], obj["metadata"]["name"]) not in wanted and obj["kind"] != _CLAIM:
                await self._delete(obj)
        for record in await self._records():
            await self.run.writer.delete(SECRET, record["metadata"]["name"], uid=uid_of(record))

    async def deployed(self) -> None:
        """Raise Unavailable unless Helm's record says that the release is deployed.

        Helm does not look whether the cluster takes its last write: it then ends well, and leaves
        a release that looks as if it had been killed.
        """
        history = await self.history()
        if history and history[-1][1] != "deployed":
            raise Unavailable(
                f"Helm did not record that {self._name} is deployed.",
                why=f"It ended well, but its record says {history[-1][1]}: its last write was "
                "lost.",
                next="Run the command again.",
            )

    @property
    def _name(self) -> str:
        return self.planned.component.name

    async def _records(self) -> list[Obj]:
        selector = f"{helm.SELECTOR},name={self._name}"
        namespace = self.run.environment.namespace
        return await self.run.cluster.list(SECRET, namespace, selector=selector, metadata_only=True)

    async def _delete(self, obj: Obj) -> None:
        """Delete an object of the release, if it carries Helm's note that it is."""
        run = self.run
        resource = await run.cluster.resource(obj["apiVersion"], obj["kind"])
        namespace = run.environment.namespace if resource.namespaced else ""
        live = await run.cluster.get(resource, obj["metadata"]["name"], namespace)
        notes = annotations_of(live or {})
        mine = notes.get("meta.helm.sh/release-name") == self._name and (
            notes.get("meta.helm.sh/release-namespace") == run.environment.namespace
        )
        if live is not None and mine:
            await run.writer.delete(resource, live["metadata"]["name"], uid=uid_of(live))
