"""Runs the tools that build images, and turns their failures into one sentence."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from images.recipe import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LINES_SHOWN = 15


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run ``command`` and return its output; BuildError with its last lines when it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            check=False,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise BuildError(
            f"{what}: {words[0]} is not on this machine; the images are built on Debian or a "
            "system derived from it, with apt-get and dpkg-deb"
        ) from error
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:])
        raise BuildError(f"{what}: {words[0]} ended with code {done.returncode} and said\n{said}")
    return done.stdout
