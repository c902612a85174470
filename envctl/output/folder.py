"""The diagnosis folder: one file each for what proves a failure, and an index that is read first.

Names come from the cluster. Each part of a path is made a plain file name, and nothing is followed
or deleted that this module did not write itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envctl.errors import ConfigError
from envctl.output.failure import error_screen
from envctl.output.files import check_writable, write_atomically
from envctl.output.lines import plain_text
from envctl.output.manifests import document
from envctl.output.symbols import UNICODE
from envctl.output.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from envctl.errors import EnvctlError
    from envctl.model.evidence import Evidence
    from envctl.model.objects import Obj

INDEX = "index.md"
_HEAD = "<!-- envctl: diagnosis -->"
_WIDTH = 100
_MAX_NAME = 120
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_OURS = {
    "events.txt": "every event of the namespace, in the order of time",
    "logs": "what every container wrote, before its restart (`previous`) and since",
    "describe": "each object in words, with its conditions and events",
    "objects": "each object as YAML, secrets removed",
    "plan.txt": "what was to be deployed, and why",
    "record.yaml": "what envctl knows of earlier runs",
    "versions.txt": "the versions of envctl and of the cluster",
    "nodes.txt": "the nodes and their conditions",
    "usage.txt": "what the pods use of CPU and memory",
}


class DiskFolder:
    """See ``envctl.ports.folder.Folder``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def text(self, path: str, content: str) -> None:
        """Write a text."""
        write_atomically(self._place(path), content)

    def lines(self, path: str, lines: Iterable[str]) -> None:
        """Write lines, each with its newline."""
        place = self._place(path)
        with place.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)

    def object(self, path: str, obj: Obj) -> None:
        """Write an object as YAML."""
        self.text(path, document(obj))

    def _place(self, path: str) -> Path:
        parts = [_UNSAFE.sub("_", part)[:_MAX_NAME].lstrip(".") or "_" for part in path.split("/")]
        place = self.root.joinpath(*parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.parent.resolve().is_relative_to(self.root.resolve()) or place.is_symlink():
            raise OSError(f"{place} leads out of {self.root}")
        return place


def prepare(root: Path) -> None:
    """Make the folder before the run begins, and empty it of what an earlier run has left.

    Raises:
        ConfigError: it cannot be made or written to, or is a file.

    """
    if root.exists() and not root.is_dir():
        raise ConfigError(
            f"--diagnosis cannot be written to {root}.",
            why="The system says: it is a file.",
            next="Give a folder; it is made where it is missing.",
        )
    check_writable(root / INDEX, "--diagnosis")
    index = root / INDEX
    if index.is_file() and index.read_text(errors="replace").startswith(_HEAD):
        index.unlink()
        for name in _OURS:
            _clear(root / name)
    if not any(root.iterdir()):
        root.rmdir()  # a run that succeeds leaves none


def _clear(path: Path) -> None:
    """Delete a file, or a folder's files; links are left alone."""
    if path.is_symlink():
        return
    if path.is_dir():
        for inner in path.iterdir():
            _clear(inner)
        if not any(path.iterdir()):
            path.rmdir()
    elif path.is_file():
        path.unlink()


def index(
    root: Path,
    error: EnvctlError,
    evidence: Evidence | None,
    title: str,
    unfinished: Sequence[str] = (),
) -> str:
    """The text of the index: the verdict and its proof, then what else is in the folder.

    ``unfinished`` is what was still waited for, in a run that was interrupted.
    """
    screen = plain_text(error_screen(error, _WIDTH, None, UNICODE))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", screen)), default=0))
    lines = [_HEAD, f"# {title or 'envctl'}: {_one_line(error)}", "", fence, screen.rstrip(), fence]
    if unfinished:
        awaited = "\n".join(clean(text) for text in unfinished)
        lines += ["", "## What it was waiting for", "", fence, awaited, fence]
    there = [f"- `{name}`: {what}" for name, what in _OURS.items() if (root / name).exists()]
    lines += ["", "## In this folder", "", *there] if there else []
    if evidence and evidence.gaps:
        lines += ["", "## What could not be had", "", *(f"- {gap}" for gap in evidence.gaps)]
    text = "\n".join([*lines, ""])
    return evidence.hidden.strict(text) if evidence else text


def _one_line(error: EnvctlError) -> str:
    said = error.failure.verdict if error.failure else error.what
    return " ".join(said.split())[:300]
