"""Finds and runs helm, kustomize and kubectl: no shell, a process group that can be ended.

A tool is looked for in ENVCTL_<TOOL>, on PATH, then among those that the embedded cluster brought.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.adapters import leash
from envctl.adapters.lines import bounded
from envctl.errors import ConfigError, TimedOut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from envctl.ports.fence import Holder

#: Seconds that a tool gets to end by itself when it is no longer wanted.
GRACE = 10.0
#: Seconds between two looks whether a command has ended, and those for the rest of its output.
LOOK, LAST_WORDS = 0.1, 2.0
#: Bytes that are read of a command's output at a time.
CHUNK = 64 * 1024
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


#: Process groups of tools that run now.
_running: set[int] = set()


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished process left."""

    code: int
    stdout: bytes
    stderr: str


def find(tool: str, extra: Sequence[Path] = ()) -> str:
    """The path of a tool, or an empty string."""
    named = os.environ.get(f"ENVCTL_{tool.upper()}", "")
    if named:
        return shutil.which(named) or ""
    found = shutil.which(tool)
    if found:
        return found
    for folder in extra:
        candidate = folder / tool
        if os.access(candidate, os.X_OK):
            return str(candidate)
    return ""


def require(tool: str, extra: Sequence[Path], purpose: str) -> str:
    """The path of a tool; raises ConfigError that says how to get it."""
    found = find(tool, extra)
    if not found:
        raise ConfigError(
            f"{tool} is missing.",
            why=f"{purpose} needs it, and it is neither on PATH nor in ENVCTL_{tool.upper()}.",
            next=f"Install {tool}, or run `envctl local start`, which brings one.",
        )
    return found


async def run(
    command: Sequence[str],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
    holder: Holder | None = None,
    files: Sequence[int] = (),
) -> Done:
    """Run a command to its end; when cancelled or late its whole process group is ended first.

    What writes for a run that holds a lock ends at the latest when that can be trusted no more.
    It inherits the open ``files`` under their numbers.
    """
    full = {**os.environ, **(env or {})}
    async with _on_leash(command, holder) as (chosen, pipes):
        # A leash sees by itself that this process is dead, and has to live to end its tool.
        before = None if pipes else _dies_with_us()
        process = await _start(chosen, stdin is not None, full, cwd, (*pipes, *files), before)
        return await _finish(process, command, stdin, timeout)


async def _finish(
    process: asyncio.subprocess.Process, command: Sequence[str], stdin: bytes | None,
    timeout: float | None,
) -> Done:  # fmt: skip
    try:
        async with asyncio.timeout(timeout):
            stdout, stderr = await process.communicate(stdin)
        _running.discard(process.pid)
    except TimeoutError as error:
        await _end(process)
        raise TimedOut(
            f"{Path(command[0]).name} {command[1]} did not end in {timeout:.0f} s.",
            why="The timeout of the step it belongs to passed.",
            next="Raise the component's timeout if it needs longer.",
        ) from error
    except asyncio.CancelledError:
        await _end(process)
        raise
    return Done(process.returncode or 0, stdout, stderr.decode(errors="replace"))


async def stream(
    command: Sequence[str], heard: Callable[[str], None], *, env: Mapping[str, str], cwd: Path,
    timeout: float,
) -> int:  # fmt: skip
    """Run a command to its end with this environment alone; each line it writes is handed over.

    What it has started ends with it. Its exit code, negative for a signal. Raises TimedOut, and
    OSError where it cannot be started.
    """
    process = await _start(command, False, env, cwd, (), _dies_with_us(), merged=True)
    reading = asyncio.create_task(_read(process, heard))
    try:
        async with asyncio.timeout(timeout):
            await _over(process, reading)
            _signal(process.pid, signal.SIGKILL)  # what it has left in the background
            await reading
            await process.wait()
        _running.discard(process.pid)
    except TimeoutError as error:
        await _end(process)
        raise TimedOut(f"It did not end in {timeout:.0f} s.") from error
    except BaseException:
        await _end(process)
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


@asynccontextmanager
async def _on_leash(
    command: Sequence[str], holder: Holder | None
) -> AsyncIterator[tuple[Sequence[str], Sequence[int]]]:
    """The command to start instead, and the pipes that it inherits."""
    if holder is None:
        yield command, ()
        return
    theirs, ours = os.pipe()
    os.set_blocking(ours, False)
    leash.tell(holder, ours)
    telling = asyncio.create_task(_telling(holder, ours))
    try:
        yield leash.leashed(command, theirs), (theirs,)
    finally:
        telling.cancel()
        os.close(ours)
        os.close(theirs)


async def _telling(holder: Holder, pipe: int) -> None:
    while True:
        await asyncio.sleep(leash.BEAT)
        leash.tell(holder, pipe)


async def _start(
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
        await _end(await starting)
        raise
    _running.add(process.pid)
    return process


def _dies_with_us() -> Callable[[], None] | None:
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


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the group to end, then make it; also when this is interrupted in turn."""
    try:
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await process.wait()
    finally:
        _signal(process.pid, signal.SIGKILL)  # children that ignored the first
    await process.wait()
    _running.discard(process.pid)


def kill_all() -> None:
    """Kill every tool that runs, at once: for a user who has asked to stop for the second time."""
    for group in _running:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
