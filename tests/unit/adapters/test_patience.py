"""A time-out that this process came late to, as it stood still, lets the answer be read first."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time

import pytest

from envctl.adapters import patience as module
from envctl.adapters.patience import LATE, patience

#: Seconds that are enough for a time-out to pass, and for it to be late.
STILL = 4 * LATE


#: Bytes of an answer that take several turns of the loop to read.
LONG = 1_000_000


async def asked(sent: int, wait: float) -> int:
    """Bytes that are read of a long answer, of which ``sent`` come while the asker stands still."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)

    def answer() -> None:
        with contextlib.suppress(OSError):
            theirs.sendall(b"x" * sent)

    answering = threading.Thread(target=answer)
    try:
        async with patience(wait):
            answering.start()
            time.sleep(STILL)  # noqa: ASYNC251 - that is what happens to it
            return len(await reader.readexactly(LONG))
    finally:
        writer.transport.abort()  # of what is not read, no more is sent
        await writer.wait_closed()
        answering.join()
        theirs.close()


async def test_an_answer_that_came_while_the_asker_stood_still_is_read() -> None:
    assert await asked(LONG, wait=LATE) == LONG


async def test_an_answer_that_did_not_come_is_given_up_on_a_little_later() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await asked(1000, wait=LATE)
    assert time.monotonic() - began < STILL + STILL + module.AGAIN


async def test_a_time_out_in_time_ends_what_is_inside_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with patience(0.05):
            await asyncio.Event().wait()
    assert time.monotonic() - began < 0.05 + LATE + STILL


async def test_nothing_is_left_of_it_afterwards() -> None:
    async with patience(0.01):
        pass
    await asyncio.sleep(0.05)  # a time-out that was left behind would cancel this


async def test_cancelling_from_outside_stays_cancelling() -> None:
    async def patient() -> None:
        async with patience(60.0):
            await asyncio.Event().wait()

    task = asyncio.create_task(patient())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
