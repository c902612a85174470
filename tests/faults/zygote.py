"""Real ``envctl`` processes that start in milliseconds: forks of one that has imported it all.

Started as ``python -m tests.faults.zygote``, it forks one process for each line of JSON on stdin,
in a session of its own, with the folder, variables and output files that the line names, and says
on stdout when each begins and ends. ``Zygote`` is the other end of these pipes::

    with Zygote() as zygote:
        process = zygote.start(["up", "--name", "it"], cwd=folder, env={"KUBECONFIG": path})
        process.kill(signal.SIGSTOP)
        process.kill(signal.SIGCONT)
        assert process.wait(60) == 0

Two seams that a process of its own has not: ``skew`` moves its time of day by so many seconds, and
``stop_at`` sends it SIGSTOP in front of its n-th write, at the worst moment: the lock was asked
already, and the request has not left.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.cluster.node import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Process:
    """A process that the zygote has forked."""

    def __init__(self, out: Path, err: Path) -> None:
        self.pid = 0
        self._out, self._err = out, err
        self._began, self._ended = threading.Event(), threading.Event()
        self._code = 0

    def note(self, message: dict[str, Any]) -> None:
        """Take what the zygote says of it."""
        if "pid" in message:
            self.pid = message["pid"]
            self._began.set()
        if "code" in message:
            self._code = message["code"]
            self._ended.set()

    def begun(self) -> Process:
        """Wait until it has a pid."""
        assert self._began.wait(120), "the zygote does not answer"
        return self

    def wait(self, timeout: float) -> int:
        """Its exit code; minus the signal's number where one ended it."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}\n{self.stderr}", timeout)
        return self._code

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    def kill(self, number: int) -> None:
        """Send it (not its children) a signal; nothing where it has ended."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    @property
    def stopped(self) -> bool:
        """Whether it stands still (SIGSTOP)."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(")")[2].split()[0] == "T"

    @property
    def stdout(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        return self._err.read_text(errors="replace")


class Zygote:
    """Starts processes; ends those that still run when it is closed."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="envctl-zygote-")
        self._processes: dict[int, Process] = {}
        self._lock = threading.Lock()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._processes.values():
            if process.pid and process.running:
                process.kill(signal.SIGKILL)
                process.wait(10)
        stdin, stdout = self._server.stdin, self._server.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.close()
        self._server.wait(30)
        self._reader.join(10)
        stdout.close()
        self._folder.cleanup()

    def start(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        skew: float = 0.0,
        stop_at: int = 0,
    ) -> Process:
        """Fork a process that runs ``envctl`` with these arguments."""
        with self._lock:
            number = len(self._processes)
            out = Path(self._folder.name, f"{number}.out")
            process = Process(out, out.with_suffix(".err"))
            self._processes[number] = process
            order = {
                "id": number, "arguments": list(arguments), "cwd": str(cwd),
                "env": clean_environment(dict(env)), "out": str(out), "skew": skew,
                "stop_at": stop_at,
            }  # fmt: skip
            stdin = self._server.stdin
            assert stdin is not None
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
        return process.begun()

    def _read(self) -> None:
        stdout = self._server.stdout
        assert stdout is not None
        for line in stdout:
            message = json.loads(line)
            self._processes[message["id"]].note(message)


# The other end


def _serve() -> None:
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
        os.close(mine)
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
    for name in ("kubernetes.aio.client", "kubernetes.aio.config", "aiohttp", "yaml", "pyhelm3"):
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
        out = Path(order["out"])
        for target, path in ((0, None), (1, out), (2, out.with_suffix(".err"))):
            flags = os.O_RDONLY if path is None else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(path or os.devnull, flags, 0o600), target)
        sys.argv = ["envctl", *order["arguments"]]
        if order["skew"]:
            _move_the_clock(order["skew"])
        if order["stop_at"]:
            _stop_at(order["stop_at"])
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
    _serve()
