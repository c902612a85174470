"""Finds and runs helm, kustomize and kubectl: no shell, a process group that can be ended.

A tool is looked for in ENVCTL_<TOOL>, on PATH, then among those that the embedded cluster brought.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.adapters import leash, processes
from envctl.errors import ConfigError, TimedOut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from envctl.ports.fence import Holder


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
        before = None if pipes else processes.dies_with_us()
        process = await processes.start(
            chosen, stdin is not None, full, cwd, (*pipes, *files), before
        )
        return await _finish(process, command, stdin, timeout)


async def _finish(
    process: asyncio.subprocess.Process, command: Sequence[str], stdin: bytes | None,
    timeout: float | None,
) -> Done:  # fmt: skip
    try:
        async with asyncio.timeout(timeout):
            stdout, stderr = await process.communicate(stdin)
        processes.running.discard(process.pid)
    except TimeoutError as error:
        await processes.end(process)
        raise TimedOut(
            f"{Path(command[0]).name} {command[1]} did not end in {timeout:.0f} s.",
            why="The timeout of the step it belongs to passed.",
            next="Raise the component's timeout if it needs longer.",
        ) from error
    except asyncio.CancelledError:
        await processes.end(process)
        raise
    return Done(process.returncode or 0, stdout, stderr.decode(errors="replace"))


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
