"""What the verbs of ``envctl local`` do, over the port to the embedded clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import ConfigError
from envctl.model.local import LocalState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envctl.model.events import Event
    from envctl.model.local import LocalStatus, StartRequest
    from envctl.ports.local import LocalClusters

#: More fake nodes than this make the control plane, not the thing under test, the bottleneck.
MAX_FAKE_NODES = 5000


async def start(
    clusters: LocalClusters,
    request: StartRequest,
    emit: Callable[[Event], None],
    merge_into: Path | None = None,
) -> LocalStatus:
    """Start a cluster; with ``merge_into`` add its context to that kubeconfig."""
    if not 0 <= request.fake_nodes <= MAX_FAKE_NODES:
        raise ConfigError(
            f"{request.fake_nodes} fake nodes are not possible.",
            why="One machine's API server has to carry them.",
            next=f"Give --nodes-fake a number from 0 to {MAX_FAKE_NODES}.",
        )
    if request.api_port and request.api_port == request.ingress_port:
        raise ConfigError(
            f"Port {request.api_port} cannot serve both.",
            why="--port is the API server's, --ingress-port the ingress controller's.",
            next="Give two different ports, or leave one out.",
        )
    status = await clusters.start(request, emit)
    if merge_into:
        clusters.merge(request.name, merge_into)
    return status


async def stop(clusters: LocalClusters, name: str, *, delete: bool) -> LocalStatus:
    """Stop a cluster and keep its data, or delete all of it."""
    return await clusters.stop(name, delete=delete)


async def status(clusters: LocalClusters, name: str) -> LocalStatus:
    """How a cluster is."""
    return await clusters.status(name)


async def load(clusters: LocalClusters, name: str, archives: list[Path]) -> tuple[str, ...]:
    """Give image archives to a running cluster, one after the other; returns the images' names."""
    images: list[str] = []
    for archive in archives:
        images.extend(await clusters.load(name, archive))
    return tuple(images)


def summary(status: LocalStatus) -> list[str]:
    """A status in words, a fact a line."""
    lines = [f"cluster {status.name} is {status.state}"]
    if status.state is LocalState.RUNNING:
        lines.append(f"kubernetes {status.version}, {status.nodes} nodes")
        lines.append(f"context    {status.context}")
        lines.append(f"kubeconfig {status.kubeconfig}")
        if status.ingress:
            port = status.ingress.rpartition(":")[2]
            lines.append(f"ingress    http://NAME.localhost:{port}")
    elif status.state is LocalState.STOPPED:
        lines.append("its data is kept: `envctl local start` goes on, `stop --delete` removes it")
    return lines
