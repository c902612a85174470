"""Real ``envctl`` processes that start in milliseconds: forks of one that has imported it all.

Run as ``python -m tests.faults.forking``, it forks one process for each line of JSON on stdin, in a
session of its own, with the folder, variables and output files that the line names, and says on
stdout when each begins and ends. A fork can be killed, and has children, like any other process.
``zygote.Zygote`` and, with asyncio, ``forks.Zygote`` are the other end of these pipes.

Two seams that a process of its own has not: ``skew`` moves its time of day by so many seconds, and
``stop_at`` sends it SIGSTOP in front of its n-th write, at the worst moment: the lock was asked
already, and the request has not left.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

#: What a run would import sooner or later, besides envctl's own modules.
_LIBRARIES = (
    "kubernetes.aio.client", "kubernetes.aio.config", "aiohttp", "yaml", "pyhelm3.command",
)  # fmt: skip


def serve() -> None:
    """Fork for each line of stdin until it ends, and go on until the last fork has."""
    _import_everything()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    children: dict[int, int] = {}
    rest = b""
    open_ = True
    while open_ or children:
        ready, _, _ = select.select([0, wake] if open_ else [wake], [], [])
        if 0 in ready:
            data = os.read(0, 1 << 20)
            open_ = bool(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = _fork(order)
                children[pid] = order["id"]
                _say(id=order["id"], pid=pid)
        if wake in ready:
            os.read(wake, 1 << 10)
            _reap(children)


def _fork(order: dict[str, Any]) -> int:
    """The pid of a new process, once it has its own session."""
    ready, mine = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        os.setsid()
        os.closerange(3, 64)
        _become(order)
    os.close(mine)
    os.read(ready, 1)
    os.close(ready)
    return pid


def _say(**message: int) -> None:
    os.write(1, (json.dumps(message) + "\n").encode())


def _reap(children: dict[int, int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        _say(id=children.pop(pid), code=os.waitstatus_to_exitcode(status))


def _import_everything() -> None:
    """All of envctl and what it imports on demand; the forks share the memory."""
    import envctl

    for module in pkgutil.walk_packages(envctl.__path__, "envctl."):
        importlib.import_module(module.name)
    for name in _LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _become(order: dict[str, Any]) -> None:
    """In the fork: be an envctl as a shell would start it, to its end."""
    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        for target, path in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if target else os.O_RDONLY
            opened = os.open(path, flags, 0o600)
            os.dup2(opened, target)
            os.close(opened)
        sys.argv = ["envctl", *order["arguments"]]
        if skew := order.get("skew"):
            _move_the_clock(skew)
        if number := order.get("stop_at"):
            _stop_at(number)
        code = _run()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _run() -> int:
    from envctl.cli.main import main

    try:
        main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - the last words of a process
        import traceback

        traceback.print_exc()
        return 70
    return 0


def _move_the_clock(seconds: float) -> None:
    """All of envctl that asks for the time of day asks this clock."""
    from envctl.adapters.clock import SystemClock

    def now(self: SystemClock) -> datetime:
        del self
        return datetime.now(UTC) + timedelta(seconds=seconds)

    SystemClock.now = now  # type: ignore[method-assign]


def _stop_at(number: int) -> None:
    from envctl.ports import fence

    check, asked = fence.check, 0

    async def checking() -> None:
        nonlocal asked
        await check()
        asked += fence.current() is not None
        if asked == number:
            asked += 1
            os.kill(os.getpid(), signal.SIGSTOP)

    fence.check = checking


if __name__ == "__main__":
    serve()
