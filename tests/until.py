"""Waits for a condition, as a test must: never for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def until(ask: Callable[[], T], good: Callable[[T], object] = bool, seconds: float = 90) -> T:
    """Ask until the answer is good; the last answer stands in the failure."""
    end = time.monotonic() + seconds
    while not good(answer := ask()):
        assert time.monotonic() < end, f"after {seconds} s still {answer!r}"
        time.sleep(0.05)
    return answer
