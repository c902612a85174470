"""Starts and stops the supervisor of a cluster, and reads what it says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.adapters.local.host import exists
from envctl.adapters.local.locking import is_locked
from envctl.adapters.tools import run
from envctl.errors import EnvctlError, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envctl.adapters.local.places import Place

#: Seconds between two looks at the status file.
_AGAIN = 0.05
#: A start that takes longer has failed; the supervisor gives up after three minutes itself.
START_TIMEOUT = 200.0
#: The supervisor stops within four seconds, or the kernel does it.
STOP_TIMEOUT = 8.0


class PortTaken(EnvctlError):
    """Another program took the port between its choice and its use."""


@dataclass(frozen=True, slots=True)
class Supervised:
    """What the status file says, read leniently: it may be of another version or half a cluster."""

    state: str = ""
    pid: int = 0
    inside: int = 0
    waiting: str = ""
    message: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


def read_status(place: Place) -> Supervised:
    """What the supervisor wrote last; empty where there is nothing."""
    found = read_json(place.status)
    known = {name: found[name] for name in Supervised.__slots__ if found.get(name) is not None}
    return Supervised(**known)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object, or an empty one where there is none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace a file as a whole."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(value, indent=2) + "\n")
    partial.replace(path)


def is_alive(place: Place) -> bool:
    """Whether anything of the cluster runs."""
    return is_locked(place.lock)


def launch(place: Place, programs: Path) -> int:
    """Start the supervisor as a process of its own, which outlives this one; returns its number."""
    place.log.parent.mkdir(parents=True, exist_ok=True)
    place.status.unlink(missing_ok=True)
    with place.log.open("ab") as log:
        started = subprocess.Popen(
            [programs / "bin" / "envctl-node", "run", "--config", place.config],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    # It is nobody's to wait for: say so, or Python warns of a child left running.
    started.returncode = 0
    return started.pid


async def until_running(place: Place, pid: int, report: Callable[[str], None]) -> Supervised:
    """Wait until the cluster works; raises EnvctlError with the supervisor's reason if it fails."""
    said = ""
    try:
        async with asyncio.timeout(START_TIMEOUT):
            while True:
                now = read_status(place)
                if now.state == "running":
                    return now
                if now.state in ("failed", "stopped") or not _runs(pid):
                    raise _did_not_start(place, now.message)
                if now.waiting != said:
                    said = now.waiting
                    report(f"waiting for {said}")
                await asyncio.sleep(_AGAIN)
    except TimeoutError as error:
        raise TimedOut(
            f"The cluster did not come up in {START_TIMEOUT:.0f} s.",
            why=f"It was waiting for {said}.",
            next=f"Look into {place.log.parent}.",
        ) from error


def _runs(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # ours if this process started it
    return exists(pid)


def _did_not_start(place: Place, message: str) -> EnvctlError:
    kind = PortTaken if "address already in use" in message else EnvctlError
    return kind(
        "The cluster did not start.",
        why=f"{message or _last_line(place.log)}.",
        next=f"The logs are in {place.log.parent}; `envctl local stop --delete` begins afresh.",
    )


def _last_line(path: Path) -> str:
    try:
        return (path.read_text(errors="replace").strip().splitlines() or [""])[-1]
    except OSError:
        return ""


async def halt(place: Place) -> None:
    """Stop the cluster and wait until nothing of it is left."""
    status = read_status(place)
    for number, seconds in ((signal.SIGTERM, STOP_TIMEOUT), (signal.SIGKILL, STOP_TIMEOUT)):
        if not is_alive(place) and not exists(status.inside):
            return
        if exists(status.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(status.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while is_alive(place) or exists(status.inside):
                    _runs(status.pid)
                    await asyncio.sleep(_AGAIN)
                return
    raise TimedOut(
        f"The cluster {place.name} did not stop.",
        why=f"Process {status.pid} does not end.",
        next=f"Look into {place.log}, and end process {status.inside} yourself.",
    )


async def clear(place: Place) -> None:
    """Remove what outlives a killed cluster: its control groups. Nothing to do is fine."""
    programs = read_json(place.config).get("programs", "")
    program = shutil.which(f"{programs}/bin/envctl-node")
    if program and os.geteuid() == 0:
        await run([program, "clean", "--config", str(place.config)], timeout=10)
