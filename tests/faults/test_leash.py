"""A tool that writes for a run ends with the run's right to write, however that ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from envctl.adapters import leash, tools
from tests.until import until

if TYPE_CHECKING:
    from pathlib import Path

WRITING = 'echo $$ >"$1"; while :; do sleep 0.1; done'


class Holder:
    """A run that may write for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    async def check(self) -> None:
        pass

    def trusted(self) -> float:
        return self.end - time.monotonic()


def gone(file: Path) -> bool:
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("code", [0, 3, 143])
async def test_a_tool_ends_as_if_there_were_no_leash(code: int) -> None:
    done = await tools.run(
        ["sh", "-c", f"cat; echo said >&2; exit {code}"], stdin=b"heard", holder=Holder(60)
    )
    assert (done.code, done.stdout, done.stderr) == (code, b"heard", "said\n")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
async def test_a_tool_that_is_killed_looks_killed(number: int) -> None:
    done = await tools.run(["sh", "-c", f"kill -{int(number)} $$"], holder=Holder(60))
    assert (done.code, done.stderr) == (-number, "")


async def test_who_cannot_renew_the_lock_has_no_tool_that_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    began = time.monotonic()
    done = await tools.run(["sh", "-c", WRITING, "sh", str(file)], holder=Holder(2))
    assert done.code == -signal.SIGKILL
    assert 1.5 < time.monotonic() - began < 20
    until(lambda: gone(file))


async def test_a_tool_that_is_cancelled_may_end_in_its_own_way(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    script = f'trap "echo cleaned >{tmp_path}/end; exit 1" TERM; {WRITING}'
    run = asyncio.create_task(tools.run(["sh", "-c", script, "sh", str(file)], holder=Holder(60)))
    await asyncio.to_thread(until, file.exists)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (tmp_path / "end").read_text() == "cleaned\n"
    assert gone(file)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_whoever_is_killed_or_stopped_has_no_tool_that_goes_on(tmp_path: Path, number: int) -> None:
    file = tmp_path / "pid"
    read, write = os.pipe()
    program = (
        "import os, sys, time\n"
        "from tests.faults.test_leash import Holder\n"
        "from envctl.adapters import leash\n"
        "holder = Holder(3)\n"
        "while True:\n"
        "    holder.end = time.monotonic() + 3\n"
        "    leash.tell(holder, int(sys.argv[1]))\n"
        "    time.sleep(0.2)\n"
    )
    teller = subprocess.Popen([sys.executable, "-c", program, str(write)], pass_fds=(write,))
    os.close(write)
    held = subprocess.Popen(
        leash.leashed(["sh", "-c", WRITING, "sh", str(file)], read), pass_fds=(read,),
        start_new_session=True,
    )  # fmt: skip
    os.close(read)
    try:
        until(lambda: file.exists() and file.read_text())
        with pytest.raises(subprocess.TimeoutExpired):
            held.wait(4)  # while it hears of its owner it goes on
        teller.send_signal(number)
        assert held.wait(30) == -signal.SIGKILL
        until(lambda: gone(file))
    finally:
        teller.kill()
        teller.wait()
