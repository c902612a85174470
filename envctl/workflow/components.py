"""Finds the component of a pod, through what made it where the pod itself does not tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.members import Members, controller_of

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.ports.cluster import Cluster

#: Pod ← ReplicaSet ← Deployment ← an operator's resource ← what it was made for.
DEPTH = 5


@dataclass(slots=True)
class Finder:
    """Answers for one namespace; each owner is asked for once."""

    cluster: Cluster
    namespace: str
    members: Members
    _owners: dict[tuple[str, str, str], Obj | None] = field(default_factory=dict)

    async def component_of(self, obj: Obj) -> str:
        """The name of the component, or empty where nothing in the chain belongs to one."""
        current: Obj | None = obj
        for _ in range(DEPTH):
            if current is None:
                return ""
            found = self.members.of(current)
            if found:
                return found
            current = await self._owner(current)
        return ""

    async def _owner(self, obj: Obj) -> Obj | None:
        reference = controller_of(obj)
        if reference is None:
            return None
        if reference not in self._owners:
            self._owners[reference] = await self._get(*reference)
        return self._owners[reference]

    async def _get(self, api_version: str, kind: str, name: str) -> Obj | None:
        """The owner; one that may not be read, or is gone, only leaves the pod without a name."""
        try:
            resource = await self.cluster.resource(api_version, kind)
            return await self.cluster.get(resource, name, self.namespace)
        except EnvctlError:
            return None
