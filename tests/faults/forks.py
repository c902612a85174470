"""Runs the real command thousands of times without starting Python each time.

A process that has imported envctl forks for each run: the child gets a session, an environment, a
working folder and streams of its own and calls the same ``main`` as the installed script. It can
be killed, and has children, like any other process. Protocol: a JSON document a line, both ways.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import pkgutil
import selectors
import signal
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

#: What a run would import sooner or later, besides envctl's own modules.
_LIBRARIES = ("kubernetes.aio.client", "kubernetes.aio.config", "pyhelm3.command", "tenacity")
_LEFT_OUT = ("envctl.adapters.local", "envctl.adapters.forge")


@dataclass
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
        self._number = 0
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.forks",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        if self._process is not None and self._reader is not None:
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
        asked = {"id": number, "argv": argv, "env": env, "cwd": str(cwd), "out": str(out),
                 "err": str(err)}  # fmt: skip
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        return Run(await started, ended, out, err)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "pid" in told:
                self._started.pop(told["id"]).set_result(told["pid"])
            else:
                self._ended.pop(told["id"]).set_result(told["code"])


def preload() -> None:
    """Import what every run would import."""
    import envctl

    for found in pkgutil.walk_packages(envctl.__path__, "envctl."):
        if not found.name.startswith(_LEFT_OUT):
            importlib.import_module(found.name)
    for name in (*_LIBRARIES, "envctl.adapters.local.lookup"):
        importlib.import_module(name)


def serve() -> None:
    """Fork a run for each line of stdin, until it ends."""
    preload()
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(awake, selectors.EVENT_READ)
    runs: dict[int, int] = {}
    rest = b""
    while True:
        for key, _ in waiting.select():
            if key.fd == awake:
                with contextlib.suppress(BlockingIOError):
                    os.read(awake, 4096)
            elif chunk := os.read(0, 1 << 16):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    asked = json.loads(line)
                    pid = _fork(asked)
                    runs[pid] = asked["id"]
                    _tell({"id": asked["id"], "pid": pid})
            else:
                return
        _reap(runs)


def _tell(document: dict[str, Any]) -> None:
    os.write(1, json.dumps(document).encode() + b"\n")


def _reap(runs: dict[int, int]) -> None:
    while runs:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        _tell({"id": runs.pop(pid), "code": os.waitstatus_to_exitcode(status)})


def _fork(asked: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = _child(asked)
    except BaseException:  # noqa: BLE001 - a child must never go on as the parent
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _child(asked: dict[str, Any]) -> int:
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    streams = {0: (os.devnull, os.O_RDONLY), 1: (asked["out"], os.O_WRONLY | os.O_CREAT),
               2: (asked["err"], os.O_WRONLY | os.O_CREAT)}  # fmt: skip
    for number, (path, flags) in streams.items():
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.closerange(3, 64)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.argv = ["envctl", *asked["argv"]]
    from envctl.cli.main import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    serve()
