"""Artifacts are written whole or not at all: a job may be killed while it writes one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envctl.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def check_writable(path: Path, option: str) -> None:
    """Refuse an artifact's path that cannot be written, before anything is touched.

    The folder is made where it is missing.

    Raises:
        ConfigError: the folder cannot be made or written to, or the path is a folder.

    """
    why = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
    if not why and path.is_dir():
        why = "it is a folder"
    if not why and not os.access(path.parent, os.W_OK):
        why = "permission denied"
    if why:
        raise ConfigError(
            f"{option} cannot be written to {path}.",
            why=f"The system says: {why}.",
            next="Give a path in a folder that this user may write to.",
        )


def write_atomically(path: Path, content: str) -> None:
    """Replace ``path`` by a file with ``content``, in UTF-8.

    Raises:
        OSError: it could not be written; the file that was there before is still there.

    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(content, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
