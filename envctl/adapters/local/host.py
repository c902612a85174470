"""What the machine must have before a cluster can run on it, each with the command that helps."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.adapters.local.toolchain import ELSEWHERE
from envctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Program, the Debian package that brings it, and what the node does with it.
NEEDED = (
    ("runc", "runc", "runs the containers"),
    ("nft", "nftables", "writes the rules of Services and network policies"),
)
GIGABYTE = 1 << 30
#: Building takes Go's caches too; running takes images, etcd and logs.
ROOM_TO_BUILD = 10 * GIGABYTE
ROOM_TO_RUN = 1 * GIGABYTE
#: The ports of the default cluster; another takes the next free ones.
API_PORT = 16443
INGRESS_PORT = 8080
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def check_machine(
    platform: str = sys.platform,
    uid: Callable[[], int] = os.geteuid,
    which: Callable[[str], str | None] | None = None,
) -> None:
    """Raise ConfigError for the first thing that is missing."""
    if platform != "linux":
        raise ConfigError(
            f"The embedded cluster needs Linux; this is {platform}.",
            why="It runs a real kubelet, whose pods are made of Linux namespaces.",
            next=f"Run it in a Linux machine or container, {ELSEWHERE}.",
        )
    if uid() != 0:
        raise ConfigError(
            "The embedded cluster needs root.",
            why="It makes network and mount namespaces and runs containers in them.",
            next=f"Run `sudo envctl local start`, {ELSEWHERE}.",
        )
    _check_packages(which or _which)


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}")


def _check_packages(which: Callable[[str], str | None]) -> None:
    absent = [(program, package, use) for program, package, use in NEEDED if not which(program)]
    if absent:
        packages = " ".join(package for _, package, _ in absent)
        raise ConfigError(
            f"The embedded cluster needs {' and '.join(program for program, _, _ in absent)}.",
            why="; ".join(f"{program} {use}" for program, _, use in absent) + ".",
            next=f"Run `apt-get install --no-install-recommends {packages}`, {ELSEWHERE}.",
        )


def check_room(folder: Path, needed: int) -> None:
    """Raise ConfigError when the disk that a folder is on has too little left, in bytes."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ConfigError(
            f"{existing} has {free / GIGABYTE:.1f} GB left; {needed / GIGABYTE:.0f} GB are needed.",
            why="Building the cluster fills Go's caches; running it stores images.",
            next=(
                "Free some space (`go clean -cache` helps), or set ENVCTL_CACHE_DIR and "
                f"ENVCTL_LOCAL_DIR to a larger disk, {ELSEWHERE}."
            ),
        )


def choose_port(asked: int, before: int, usual: int, option: str) -> int:
    """The port that was asked for, else the one used before, else the first free from ``usual``.

    Raises ConfigError when the one that was asked for is taken.
    """
    if asked:
        if not is_free(asked):
            raise ConfigError(
                f"Port {asked} is taken.",
                why="Another program listens on it on this machine's loopback.",
                next=f"Choose another with {option}, or leave that out: then a free one is found "
                f"(`ss -ltnp 'sport = :{asked}'` shows who has it).",
            )
        return asked
    if before and is_free(before):
        return before
    return next(port for port in range(usual, 65536) if is_free(port))


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def exists(pid: int) -> bool:
    """Whether a process of that number is there."""
    return pid > 0 and Path(f"/proc/{pid}").exists()
