"""Starts forks of the real ``envctl`` (``tests.faults.forking``) and waits for them::

    with Zygote() as zygote:
        process = zygote.start(["up", "--name", "it"], cwd=folder, env={"KUBECONFIG": path})
        process.kill(signal.SIGSTOP)
        process.kill(signal.SIGCONT)
        assert process.wait(60) == 0

Each process has a session of its own and writes to files of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
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
            [sys.executable, "-m", "tests.faults.forking"],
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
                "env": clean_environment(dict(env)), "out": str(out),
                "err": str(out.with_suffix(".err")), "skew": skew,
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
