"""The step a piece of code runs in: until when, and whom to tell of a retry or a warning.

Kept in a context variable, as every asyncio task inherits it: a deadline need not be handed through
each call between the step and the request that must end before it (law 6).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

Retried = Callable[[int, str, str, float], None]
Warned = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """``deadline`` is on ``time.monotonic``; ``retried`` takes attempt, policy, why, delay.

    ``warned`` takes what was being done, as in 'apply Deployment/web', and the server's words.
    """

    deadline: float
    retried: Retried | None = None
    warned: Warned | None = None


_current: ContextVar[Attempt | None] = ContextVar("attempt", default=None)

#: Seconds an inner wait ends before the outer one, so that it is the one that explains.
MARGIN = 1.0


@contextmanager
def within(
    timeout: float, retried: Retried | None = None, warned: Warned | None = None
) -> Iterator[Attempt]:
    """Everything inside ends in ``timeout`` seconds, or when what is around it ends."""
    outer = _current.get()
    deadline = time.monotonic() + timeout
    if outer is not None:
        deadline = min(deadline, outer.deadline - MARGIN)
        retried, warned = retried or outer.retried, warned or outer.warned
    current = Attempt(deadline, retried, warned)
    token = _current.set(current)
    try:
        yield current
    finally:
        _current.reset(token)


def remaining(default: float) -> float:
    """Seconds left to whoever asks, at most ``default``; never negative."""
    attempt = _current.get()
    if attempt is None:
        return default
    return max(0.0, min(default, attempt.deadline - time.monotonic()))


def report_warning(doing: str, text: str) -> None:
    """Tell the step that the API server accepted something, and warns about it."""
    current = _current.get()
    if current is not None and current.warned is not None:
        current.warned(doing, text)


def report_retry(attempt: int, policy: str, why: str, delay: float) -> None:
    """Tell the step that something in it is tried again, as retries are never silent."""
    current = _current.get()
    if current is not None and current.retried is not None:
        current.retried(attempt, policy, why, delay)
