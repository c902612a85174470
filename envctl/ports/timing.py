"""Where the time goes: whoever waits for something outside tells for what, from when to when.

Kept in a context variable like the step's deadline (``attempt``): a request need not be handed the
step that it is made for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Takes a kind (``api``, ``helm`` …), a name, and begin and end on ``time.monotonic``.
Told = Callable[[str, str, float, float], None]

_told: ContextVar[Told | None] = ContextVar("told", default=None)


@contextmanager
def telling(told: Told) -> Iterator[None]:
    """What is measured inside is told to ``told``, in this task and those that it starts."""
    token = _told.set(told)
    try:
        yield
    finally:
        _told.reset(token)


@contextmanager
def measured(kind: str, name: str) -> Iterator[None]:
    """Tell how long the block took, however it ends."""
    began = time.monotonic()
    try:
        yield
    finally:
        tell(kind, name, began, time.monotonic())


def tell(kind: str, name: str, began: float, ended: float) -> None:
    """Tell of a stretch of time that is known already; the two are on ``time.monotonic``."""
    told = _told.get()
    if told is not None:
        told(kind, name, began, ended)
