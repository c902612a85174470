"""A time-out of an answer that does not count against the server what its asker was late for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Seconds after its time from which a time-out says that this process stood still meanwhile.
LATE = 0.1
#: Seconds that it then has at most to read what has come.
AGAIN = 2.0


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """End what is inside after ``seconds`` with TimeoutError, as ``asyncio.timeout`` does.

    Of a process that got no processor for a while, asyncio runs the time-outs that passed in the
    same turn in which it sees that the answer has come, and before anybody reads it. So one that
    comes late waits once more: for as long as it was late, at most ``AGAIN`` seconds.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    async with asyncio.timeout(None) as limit:

        def pass_by() -> None:
            late = loop.time() - due
            limit.reschedule(loop.time() + (min(late, AGAIN) if late > LATE else 0))

        timer = loop.call_at(due, pass_by)
        try:
            yield
        finally:
            timer.cancel()
