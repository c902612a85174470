"""Starts forks of the real ``envctl`` (``tests.faults.forking``), thousands, with asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(eq=False)
class Run:
    """One run of the command."""

    pid: int
    ended: asyncio.Future[int]
    out: Path
    err: Path

    async def wait(self, seconds: float) -> int | None:
        """Its exit code, negative for a signal; None if it is killed for taking too long."""
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self.ended), seconds)
        self.kill(signal.SIGKILL)
        await self.ended
        return None

    def kill(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Zygote:
    """The parent's end: starts runs and hears of their ends."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._started: dict[int, asyncio.Future[int]] = {}
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._running: set[Run] = set()
        self._number = 0
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.forking",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """End what still runs, and the server of forks."""
        if self._process is not None and self._reader is not None:
            for run in self._running:
                run.kill(signal.SIGKILL)
            self._process.stdin.close()  # type: ignore[union-attr]
            await self._process.wait()
            await self._reader

    async def start(
        self, argv: list[str], env: dict[str, str], cwd: Path, out: Path, err: Path
    ) -> Run:
        assert self._process is not None
        assert self._process.stdin is not None
        self._number += 1
        number, loop = self._number, asyncio.get_running_loop()
        self._started[number], self._ended[number] = loop.create_future(), loop.create_future()
        started, ended = self._started[number], self._ended[number]
        asked = {"id": number, "arguments": argv, "env": env, "cwd": str(cwd), "out": str(out),
                 "err": str(err)}  # fmt: skip
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        run = Run(await started, ended, out, err)
        self._running.add(run)
        ended.add_done_callback(lambda _: self._running.discard(run))
        return run

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "pid" in told:
                self._started.pop(told["id"]).set_result(told["pid"])
            else:
                self._ended.pop(told["id"]).set_result(told["code"])
