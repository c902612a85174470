"""What the fault tests share: a cluster of their own, which may be treated badly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.node import NODE_NAME, Envctl, Node

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def control_plane(node: Node) -> Iterator[Node]:
    """A cluster whose pods become ready, and whose Jobs complete, by themselves.

    Its tests are in the xdist group ``kill``, so that there is only one.
    """
    del node  # what it is built from is there
    name, envctl = f"{NODE_NAME}-kill", Envctl()
    started = envctl(
        "local", "start", "--name", name, "--profile", "control-plane", "--nodes-fake", "2",
        "-o", "json", check=0,
    ).json  # fmt: skip
    yield Node(name, Path(started["kubeconfig"]), started["context"], "")
    envctl("local", "stop", "--name", name, "--delete", check=0)
