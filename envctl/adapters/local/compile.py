"""Builds one program with Go and says how far it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.adapters.tools import run
from envctl.errors import EnvctlError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

    from envctl.adapters.local.recipe import Program
    from envctl.adapters.local.steps import Report

#: Nothing of the user's own Go settings may change what is built; where modules come from may.
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "",
    "GOWORK": "off",
    "GOTOOLCHAIN": "local",
    "GOOS": "",
    "GOARCH": "",
}
#: How many lines of a failed build are worth showing.
_LAST = 12
#: lego's own packages but for its DNS providers and its command; see cluster/traefik/go.mod.
_LEGO = "github.com/go-acme/lego/v5@v5.4.1"
_LEGO_LEFT_OUT = shutil.ignore_patterns(
    "providers", "cmd", "e2e", "generators", "*_test.go", "go.mod", "go.sum"
)


@dataclass(frozen=True, slots=True)
class Compiler:
    """A Go, the module's sources, and a folder for what has to be put together first."""

    go: str
    sources: Path
    work: Path

    async def build(self, program: Program, output: Path, report: Report) -> None:
        """Build a program into a folder; raises EnvctlError with the compiler's last words."""
        report("fetching sources")
        module = await self._module(program)
        total = await self._count(program, module)
        command = [self.go, "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly"]
        if program.tags:
            command += ["-tags", program.tags]
        variables = " ".join(f"-X {name}={value}" for name, value in program.variables)
        command += ["-ldflags", f"-s -w {variables}".strip(), "-o", f"{output}/", *program.packages]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=module,
            env={**os.environ, **ENVIRONMENT},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            last = await _follow(process, program, total, report)
        except BaseException:
            await _end(process)
            raise
        if process.returncode:
            raise _failed(program, last)

    async def _count(self, program: Program, module: Path) -> int:
        """How many packages a build from nothing compiles; fetches the modules they are in."""
        done = await run(
            [self.go, "list", "-deps", "-mod=readonly", *program.packages],
            cwd=module, env=ENVIRONMENT, timeout=900,
        )  # fmt: skip
        if done.code:
            raise _failed(program, deque(done.stderr.splitlines(), _LAST))
        return len(done.stdout.splitlines())

    async def _module(self, program: Program) -> Path:
        if program.module == ".":
            return self.sources
        done = await run(
            [self.go, "mod", "download", "-json", _LEGO],
            cwd=self.work,
            env=ENVIRONMENT,
            timeout=300,
        )
        if done.code:
            raise _failed(program, deque((done.stderr + done.stdout.decode()).splitlines(), _LAST))
        target = self.work / program.module
        shutil.rmtree(target, ignore_errors=True)
        lego = json.loads(done.stdout)["Dir"]
        shutil.copytree(lego, target / "lego", ignore=_LEGO_LEFT_OUT, copy_function=shutil.copyfile)
        for path in (
            target,
            *target.rglob("*"),
        ):  # the module cache is read-only, and so are copies
            path.chmod(0o755 if path.is_dir() else 0o644)
        shutil.copytree(self.sources / program.module, target, dirs_exist_ok=True)
        return target


async def _follow(process: Process, program: Program, total: int, report: Report) -> deque[str]:
    """Count the packages as the compiler names them; a line of another kind is a message."""
    last: deque[str] = deque(maxlen=_LAST)
    compiled, said = 0, 0.0
    while process.stderr and (raw := await process.stderr.readline()):
        line = raw.decode(errors="replace").rstrip()
        if " " in line or line.startswith("#"):
            last.append(line)
        else:
            compiled += 1
        if time.monotonic() - said > 0.5:
            said = time.monotonic()
            report(f"package {compiled} of {total}, usually {_minutes(program.usual)} on two cores")
    await process.wait()
    return last


def _minutes(seconds: int) -> str:
    return f"{round(seconds / 60)} min" if seconds >= 90 else f"{seconds} s"


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # go build keeps nothing half written
    await process.wait()


def _failed(program: Program, last: deque[str]) -> EnvctlError:
    return EnvctlError(
        f"{program.name} could not be built.",
        why="go said: " + " | ".join(line for line in last if line.strip())[-1500:],
        next=(
            "Run the command again: what is built already is kept. Without access to Go modules, "
            "start from an archive with --from."
        ),
    )
