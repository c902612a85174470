"""The machine's clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime

#: Linux does not count the time of a suspended machine on its monotonic clock, and others do.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """See ``envctl.ports.clock.Clock``."""

    def now(self) -> datetime:
        """The time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow; they go on while the process, or the machine, is stopped."""
        return time.clock_gettime(_CLOCK)
