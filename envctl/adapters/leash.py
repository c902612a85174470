"""Runs a tool that writes to the cluster on a leash: it ends with the right to write.

Helm is one long write, and a process of its own: where envctl is killed, or stands still (SIGSTOP,
a debugger) until another run takes its lock over, helm would go on. So a small process stands
between the two. It hears from envctl, through a pipe, until when the lock can be trusted; when that
has passed, or the pipe's other end is gone, it kills helm and whatever helm has started.

This file is that process as well, run by itself and without envctl's modules: it starts in 10 ms.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.ports.fence import Holder

#: One clock for both processes, which goes on while the machine is suspended.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
#: Seconds between two words to the other process.
BEAT = 1.0


# envctl's end


def leashed(command: Sequence[str], descriptor: int) -> list[str]:
    """The command on a leash; ``descriptor`` is the pipe that it is told through."""
    return [sys.executable, "-I", "-S", __file__, str(descriptor), *command]


def tell(holder: Holder, descriptor: int) -> None:
    """One word: until when, on the clock that both read."""
    now = time.clock_gettime(_CLOCK)  # before the question: a stop in between must not add to it
    try:
        os.write(descriptor, b"%f\n" % (now + holder.trusted()))
    except OSError:  # it has ended, or has not read for long
        return


# The other end


def _run(descriptor: int, command: list[str]) -> int:
    """Run the command to its end; its exit code, as a shell would give it."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT):  # helm's to obey; this one stays until it ends
        signal.signal(number, signal.SIG_IGN)
    end = _heard(descriptor)
    if end <= time.clock_gettime(_CLOCK):
        _kill()
    pid = os.posix_spawnp(
        command[0], command, os.environ,
        setsigdef=(signal.SIGTERM, signal.SIGINT, signal.SIGCHLD),
    )  # fmt: skip
    while True:
        left = end - time.clock_gettime(_CLOCK)
        if left <= 0:
            _kill()
        ready, _, _ = select.select([descriptor, woken], [], [], left)
        if woken in ready:
            os.read(woken, 64)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        if descriptor in ready:
            end = _heard(descriptor)


def _heard(descriptor: int) -> float:
    """The last word in the pipe; 0 where nobody holds its other end any more."""
    words = os.read(descriptor, 4096).split()
    return float(words[-1]) if words else 0.0


def _kill() -> None:
    """Kill the whole process group, this process included."""
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    code = _run(int(sys.argv[1]), sys.argv[2:])
    if code < 0:
        if -code not in (signal.SIGKILL, signal.SIGSTOP):  # these two nobody handles
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)
