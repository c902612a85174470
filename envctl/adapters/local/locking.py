"""Locks on files: they end with the process that holds them, however it ends."""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

#: Seconds between two tries: there is no way to wait for such a lock and to be interrupted.
_AGAIN = 0.1


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock for the length of the block, however long another holds it before.

    Its folder is made; who held it before may have deleted that, and the file with it.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            while not _take(descriptor):  # noqa: ASYNC110 - no event tells of a lock let go
                await asyncio.sleep(_AGAIN)
            if _is(descriptor, path):
                yield
                return
        finally:
            os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    """Whether this is the file that others would lock now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def is_locked(path: Path) -> bool:
    """Whether any process holds the lock now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _take(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _take(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
