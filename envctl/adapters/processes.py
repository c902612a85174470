"""Starts processes in groups of their own, and ends a group with all that it has started."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

#: Seconds that a process gets to end by itself when it is no longer wanted.
GRACE = 10.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
#: Process groups that run now.
running: set[int] = set()


async def start(
    command: Sequence[str],
    feed: bool,
    env: Mapping[str, str],
    cwd: Path | None,
    inherited: Sequence[int],
    before: Callable[[], None] | None,
    *,
    merged: bool = False,
) -> asyncio.subprocess.Process:
    """Start it; one that is cancelled while it starts is ended like any other."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if feed else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if merged else asyncio.subprocess.PIPE,
            env=env,
            cwd=cwd,
            start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on
            pass_fds=tuple(inherited),
            preexec_fn=before,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await end(await starting)
        raise
    running.add(process.pid)
    return process


def dies_with_us() -> Callable[[], None] | None:
    """What makes a tool end with this process, also when that is killed (prctl(2); Linux only).

    One that went on alone would write to the environment while the next run works on it.
    """
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def die_with_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it is dead already
            os._exit(1)

    return die_with_parent


async def end(process: asyncio.subprocess.Process) -> None:
    """Ask the group to end, then make it; also when this is interrupted in turn."""
    try:
        tell(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await process.wait()
    finally:
        tell(process.pid, signal.SIGKILL)  # children that ignored the first
    await process.wait()
    running.discard(process.pid)


def kill_all() -> None:
    """Kill every tool that runs, at once: for a user who has asked to stop for the second time."""
    for group in running:
        tell(group, signal.SIGKILL)


def tell(group: int, number: int) -> None:
    """Send a group a signal, if there still is one."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
