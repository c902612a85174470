"""Runs a command and hands on each line that it writes, as it comes."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from envctl.adapters import processes
from envctl.adapters.lines import bounded
from envctl.errors import TimedOut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

#: Seconds between two looks whether a command has ended, and those for the rest of its output.
LOOK, LAST_WORDS = 0.1, 2.0
#: Bytes that are read of a command's output at a time.
CHUNK = 64 * 1024


async def stream(
    command: Sequence[str], heard: Callable[[str], None], *, env: Mapping[str, str], cwd: Path,
    timeout: float,
) -> int:  # fmt: skip
    """Run a command to its end with this environment alone; each line it writes is handed over.

    What it has started ends with it. Its exit code, negative for a signal. Raises TimedOut, and
    OSError where it cannot be started.
    """
    process = await processes.start(
        command, False, env, cwd, (), processes.dies_with_us(), merged=True
    )
    reading = asyncio.create_task(_read(process, heard))
    try:
        async with asyncio.timeout(timeout):
            await _over(process, reading)
            processes.tell(process.pid, signal.SIGKILL)  # what it has left in the background
            await reading
            await process.wait()
        processes.running.discard(process.pid)
    except TimeoutError as error:
        await processes.end(process)
        raise TimedOut(f"It did not end in {timeout:.0f} s.") from error
    except BaseException:
        await processes.end(process)
        raise
    finally:
        reading.cancel()
    return process.returncode or 0


async def _over(process: asyncio.subprocess.Process, reading: asyncio.Task[None]) -> None:
    """Wait until it has ended and its last words are read.

    A child that it has left behind holds its output open, and may do so for ever; asyncio's own
    ``wait`` may then last as long.
    """
    while process.returncode is None:
        if reading.done():  # it has closed its output, and goes on
            reading.result()
            await asyncio.sleep(LOOK)
        await asyncio.wait({reading}, timeout=LOOK)
    await asyncio.wait({reading}, timeout=LAST_WORDS)


async def _read(process: asyncio.subprocess.Process, heard: Callable[[str], None]) -> None:
    async for line in bounded(_chunks(process)):
        heard(line)


async def _chunks(process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    while process.stdout is not None and (chunk := await process.stdout.read(CHUNK)):
        yield chunk
