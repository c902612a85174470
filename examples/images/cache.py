"""Keeps the built images: one tar each, named by what is in it, made once."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from images.debian import unpack_server
from images.golang import compile_program
from images.recipe import GoProgram, key
from images.run import REPOSITORY, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from images.recipe import DebianServer, Recipe

IMAGE_TOOL = REPOSITORY / "cluster" / "image.py"
#: The user of the programs: anything but root.
USER = "65532:65532"
#: A folder that any user may write to, as servers expect it.
SCRATCH = "/tmp:0:0:1777"  # noqa: S108 it is a path in the image


@dataclass(frozen=True)
class Built:
    """An image that is there: the name to deploy it by and the file to load it from."""

    name: str
    reference: str
    tar: Path


def folder() -> Path:
    """Where the images are kept."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    base = Path(os.environ.get("ENVCTL_CACHE_DIR") or home / "envctl")
    return base / "examples"


@contextmanager
def only_one(cache: Path) -> Iterator[None]:
    """Let a second build on this machine wait for the first instead of doing it again."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find(project: str, recipe: Recipe, cache: Path) -> Built:
    """The names under which ``recipe`` is, or will be, in the cache."""
    tag = key(recipe)
    tar = cache / f"{project}-{recipe.name}-{tag}.tar"
    return Built(recipe.name, f"docker.io/{project}/{recipe.name}:{tag}", tar)


def build(built: Built, recipe: Recipe, cache: Path) -> float:
    """Make the tar of ``recipe`` and return the seconds it took; BuildError when it fails."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as name:
        work = Path(name)
        words = _go(recipe, work) if isinstance(recipe, GoProgram) else _debian(recipe, cache, work)
        tool = [sys.executable, str(IMAGE_TOOL), "--name", built.reference, "--user", USER]
        run([*tool, *words, "--output", str(built.tar)], what=f"writing {built.tar.name}")
    return time.monotonic() - begun


def _go(recipe: GoProgram, work: Path) -> list[str]:
    program = compile_program(recipe, work)
    return ["--add", f"{program}:/{program.name}", "--entrypoint", f"/{program.name}"]


def _debian(recipe: DebianServer, cache: Path, work: Path) -> list[str]:
    root = unpack_server(recipe, cache / "apt", work)
    words = ["--add", f"{root}:/", "--dir", SCRATCH]
    for target, source in recipe.own.items():
        words += ["--add", f"{source}:{target}"]
    for target, to in recipe.links.items():
        words += ["--link", f"{target}:{to}"]
    for word in recipe.entrypoint:
        words += ["--entrypoint", word]
    return words
