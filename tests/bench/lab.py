"""The clusters that rows are measured on, and the folders and namespaces they use.

Two embedded ones, never at once, since the machine is small: a whole node, whose pods are real, and
a control plane with KWOK's fake nodes for what is large.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import latency
from tests.bench.measure import Ran, run
from tests.bench.workloads import PROJECT
from tests.cluster import busybox, nginx
from tests.cluster.node import Envctl, Kubectl, Node, clean_environment, tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "bench"
_PROFILES = {"": (), "-scale": ("--profile", "control-plane", "--nodes-fake", "2")}


@dataclass
class Lab:
    """What rows ask for; ``rounds`` is how often contestants take turns, ``scale`` the number of
    environments where there are many.
    """

    rounds: int
    scale: int
    folder: Path
    name: str = NAME
    node: Node | None = None
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def real(self) -> Node:
        """A node with real pods."""
        return self._on("")

    def fake(self) -> Node:
        """A control plane with fake nodes."""
        return self._on("-scale")

    def _on(self, kind: str) -> Node:
        name = f"{self.name}{kind}"
        if self.node is None or self.node.name != name:
            self.close()
            say(f"starting the cluster {name}")
            self.node = start(name, *_PROFILES[kind])
            if not kind:
                self._load(self.node)
        return self.node

    def _load(self, node: Node) -> None:
        busybox.load(Envctl(), node.name)
        nginx.load(Envctl(), node, self.place())

    def fresh(self) -> str:
        """A name that no environment had yet."""
        return f"e{next(self._count)}"

    def place(self) -> Path:
        """A folder that nothing is in yet."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def close(self) -> None:
        """Stop the cluster that runs, and delete its data."""
        if self.node:
            Envctl()("local", "stop", "--name", self.node.name, "--delete", check=0)
        self.node = None


@contextlib.contextmanager
def opened(rounds: int, scale: int, name: str = NAME) -> Iterator[Lab]:
    """A lab, and nothing left of it; its clusters' names begin with ``name``."""
    with tempfile.TemporaryDirectory(prefix="envctl-bench-") as folder:
        lab = Lab(rounds, scale, Path(folder), name)
        try:
            yield lab
        finally:
            lab.close()


def start(name: str, *profile: str) -> Node:
    """Start a cluster with nothing in it; what it says goes to stderr."""
    envctl = Envctl()
    envctl("local", "stop", "--name", name, "--delete", check=0)
    subprocess.run(
        envctl.command("local", "start", "--name", name, *profile),
        env=clean_environment(), stdin=subprocess.DEVNULL, stdout=sys.stderr, check=True,
        timeout=3600,
    )  # fmt: skip
    found = envctl("local", "status", "--name", name, "-o", "json", check=0).json
    return Node(name, Path(found["kubeconfig"]), found["context"], found["ingress"])


@dataclass(frozen=True)
class Place:
    """A repository's folder, and the way to a cluster: how the tools are run in it."""

    node: Node
    folder: Path
    kubeconfig: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def envctl(self, *args: str, codes: tuple[int, ...] = (0,)) -> Ran:
        """envctl as a user has it."""
        command = Envctl().command(*args)
        return run(
            command, kubeconfig=self.kubeconfig, cwd=self.folder, env=self.env, codes=codes
        )  # fmt: skip

    def up(self, name: str, *args: str) -> Ran:
        """``envctl up`` of an environment."""
        return self.envctl("up", "--name", name, "-o", "json", *args)

    def down(self, name: str) -> Ran:
        """``envctl down``, without a file, as a stop job does it."""
        return self.envctl(
            "down", "--project", PROJECT, "--name", name, "--context", self.node.context,
            "-o", "json",
        )  # fmt: skip

    def tool(self, *command: str) -> Ran:
        """Another command; its first word is a tool that was built with the cluster."""
        return run(
            [tool(command[0]), *command[1:]], kubeconfig=self.kubeconfig, cwd=self.folder
        )  # fmt: skip

    def shell(self, *lines: str) -> Ran:
        """A script that ends at its first failure."""
        return run(["sh", "-ec", "\n".join(lines)], kubeconfig=self.kubeconfig, cwd=self.folder)

    @property
    def kubectl(self) -> Kubectl:
        """kubectl that does not go through the delay, for what is not measured."""
        return Kubectl(self.node)


@contextlib.contextmanager
def at(lab: Lab, node: Node, folder: Path, milliseconds: int) -> Iterator[Place]:
    """The folder, with the cluster ``milliseconds`` away."""
    with latency.far(node.kubeconfig, lab.folder, milliseconds) as kubeconfig:
        yield Place(node, folder, kubeconfig)


def namespace(name: str) -> str:
    """The namespace of an environment."""
    return f"{PROJECT}-{name}"


def say(text: str) -> None:
    """What is going on, beside the results."""
    print(f"── {text}", file=sys.stderr, flush=True)
