"""The files of a chart as one digest, and the refusal of links that lead out of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from envctl.errors import ConfigError, Refused

#: Bytes of a chart folder; Helm itself refuses charts whose release is over 1 MiB.
MAX_BYTES = 64 * 1024 * 1024
_IGNORED = {".git", ".DS_Store", "__pycache__"}


def digest_of(path: Path) -> str:
    """SHA-256 over names and contents below a file or folder; raises ConfigError, Refused."""
    found = hashlib.sha256()
    size = 0
    root = path if path.is_dir() else path.parent
    refuse_links(path)
    for file in _files(path):
        if file.is_dir():
            continue
        try:
            data = file.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{file} cannot be read.", why=f"The system says: {error.strerror}.",
                next="Correct the file's permissions or the link.",
            ) from error  # fmt: skip
        size += len(data)
        if size > MAX_BYTES:
            raise ConfigError(
                f"The chart {path.name!r} is larger than {MAX_BYTES // 1024 // 1024} MiB.",
                why="Helm stores a chart in one Secret of at most 1 MiB.",
                next="Keep large files out of the chart folder.",
            )
        found.update(f"{file.relative_to(root)}\0{len(data)}\0".encode())
        found.update(data)
    return found.hexdigest()[:32]


def refuse_links(path: Path) -> None:
    """Raise Refused where a link leads out of a chart, wherever in it: Helm follows every one."""
    if path.is_dir():
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                _inside(Path(folder, name), path)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if (file.is_file() or file.is_symlink())
        and not _IGNORED.intersection(file.relative_to(path).parts)
    )


def _inside(file: Path, root: Path) -> None:
    """Refuse a link that leads out: Helm follows it, and could read the runner's files."""
    if file.is_symlink() and not file.resolve().is_relative_to(root.resolve()):
        raise Refused(
            f"The link {file.name!r} leads out of the chart {root.name!r}.",
            why="A chart may read its own files only; a merge request could read the runner's.",
            next="Copy the file into the chart.",
        )
