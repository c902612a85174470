"""What the fault tests share: a cluster of their own, which may be treated badly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.node import NODE_NAME, Envctl, Node
from tests.faults import race_world
from tests.faults.zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.race_world import World


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


@pytest.fixture(scope="session")
def world(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A control plane that is watched: who held which lock, and who wrote what.

    Its tests are in the xdist group ``races``, so that there is only one.
    """
    del node  # what it is built from is there
    with race_world.control_plane(f"{NODE_NAME}-races", tmp_path_factory.mktemp("races")) as found:
        yield found


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Starts real envctl processes in milliseconds."""
    with Zygote() as found:
        yield found
