"""The images of the examples, built once and loaded into the node of the tests."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cluster.node import Envctl, Node

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(example: str, envctl: Envctl, node: Node) -> dict[str, str]:
    """Build and load the images of ``example``; returns the variables that tell envctl of them.

    The xdist workers take turns: the first builds and loads, the others find it done. A cluster
    that the tests were pointed at, rather than started, must have the images already.
    """
    build = [sys.executable, str(EXAMPLES / example / "build")]
    lock = Path(tempfile.gettempdir()) / f"envctl-test-images-{os.getuid()}.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        tars = _lines([*build, "--tars"])
        if node.name:
            envctl("local", "load", "--name", node.name, *tars, check=0)
    exports = (line.removeprefix("export ").partition("=") for line in _lines(build))
    return {name: reference for name, _, reference in exports}


def _lines(command: list[str]) -> list[str]:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()
