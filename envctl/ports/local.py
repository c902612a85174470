"""What the verbs of ``envctl local`` need from whoever runs the embedded cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envctl.model.events import Event
    from envctl.model.local import LocalStatus, StartRequest


class LocalClusters(Protocol):
    """The embedded clusters of this machine, by name."""

    async def start(self, request: StartRequest, emit: Callable[[Event], None]) -> LocalStatus:
        """Start a cluster, building its programs first where they are missing.

        A cluster that runs as it was asked for is left alone. Raises ConfigError where the
        machine lacks something, EnvctlError where the cluster does not come up.
        """
        ...

    async def stop(self, name: str, *, delete: bool) -> LocalStatus:
        """Stop a cluster; with ``delete`` remove its folder too. One that is not there is fine."""
        ...

    async def status(self, name: str) -> LocalStatus:
        """How a cluster is; clears away what a killed one may have left."""
        ...

    async def load(self, name: str, archive: Path) -> tuple[str, ...]:
        """Give an image archive to a running cluster; returns the names of its images."""
        ...

    async def bundle(self, output: Path, emit: Callable[[Event], None]) -> str:
        """Write the built programs as an archive with its checksum beside it; returns that."""
        ...

    def merge(self, name: str, kubeconfig: Path) -> None:
        """Add the cluster's context to a kubeconfig of the user's."""
        ...
