"""Time and chance, so that a test can hold them still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """The wall clock for what is written down, a monotonic one for what is measured."""

    def now(self) -> datetime:
        """The time of day in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow; they go on while the process is stopped."""
        ...
