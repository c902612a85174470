"""``list``: every environment of a cluster in one request, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.environment import MANAGED_BY, NAME, PROJECT, EnvironmentInfo, info_of
from envctl.model.objects import NAMESPACE

if TYPE_CHECKING:
    from envctl.ports.cluster import Cluster


async def environments(cluster: Cluster, project: str) -> list[EnvironmentInfo]:
    """The environments of one project, or of all; metadata alone, read in pages."""
    # The namespace of the locks is managed by envctl too, but it is no environment: no name.
    selector = f"{MANAGED_BY}=envctl,{NAME}"
    if project:
        selector += f",{PROJECT}={project}"
    found = await cluster.list(NAMESPACE, selector=selector, metadata_only=True)
    return sorted(map(info_of, found), key=lambda info: (info.project, info.name))
