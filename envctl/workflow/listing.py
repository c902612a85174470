"""``list``: every environment of a cluster in one request, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.environment import MANAGED_BY, NAME, PROJECT, EnvironmentInfo, info_of
from envctl.model.objects import NAMESPACE

if TYPE_CHECKING:
    from envctl.ports.cluster import Cluster


async def environments(cluster: Cluster, project: str) -> list[EnvironmentInfo]:
    """The environments of one project, or of all; metadata alone, read in pages."""
    found = await cluster.list(NAMESPACE, selector=selector(project), metadata_only=True)
    return sorted(map(info_of, found), key=lambda info: (info.project, info.name))


def selector(project: str) -> str:
    """The label selector of one project's environments, or of all."""
    # The namespace of the locks is managed by envctl too, but it is no environment: no name.
    everything = f"{MANAGED_BY}=envctl,{NAME}"
    return f"{everything},{PROJECT}={project}" if project else everything
