"""Runs the tools that build images, and turns their failures into one sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from images.recipe import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LINES_SHOWN = 15
REPOSITORY = Path(__file__).resolve().parents[2]


def everywhere(name: str) -> Iterator[str]:
    """Every program of that name: on PATH, beside this Python, in the repository's .venv."""
    for folder in (None, Path(sys.executable).parent, REPOSITORY / ".venv" / "bin"):
        if found := shutil.which(name, path=folder):
            yield found


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
