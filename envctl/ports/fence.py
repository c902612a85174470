"""Whether the run that a piece of code belongs to may still write to its environment (law 2).

Kept in a context variable, as every asyncio task inherits it: the last question is asked where a
request leaves, again for each attempt, and by whatever else writes on the run's behalf.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fence(Protocol):
    """Whoever knows whether a run may still write."""

    async def check(self) -> None:
        """Return if it may; raises Superseded or Locked."""
        ...


class Holder(Fence, Protocol):
    """A run that holds the lock, and knows for how long it may be taken to."""

    def trusted(self) -> float:
        """Seconds for which nobody else can have begun to write, if nothing is heard of the run."""
        ...


_current: ContextVar[Holder | None] = ContextVar("fence", default=None)


@contextmanager
def behind(holder: Holder | None) -> Iterator[None]:
    """Every write inside asks this run; None is for the requests that the lock itself makes."""
    token = _current.set(holder)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Holder | None:
    """Whose fence is around, if there is one."""
    return _current.get()


async def check() -> None:
    """Return if a write may leave now; raises what the fence around raises."""
    fence = _current.get()
    if fence is not None:
        await fence.check()
