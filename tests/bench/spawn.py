"""Runs one command and says what it cost: ``python -I -S spawn.py FILE COMMAND ...``.

A process of its own, as small as Python gets. Linux gives a child the peak memory of whoever
starts it, so that a measured command would never seem smaller than the harness itself.
"""

import json
import os
import sys
import time

_KEYS = ("wall", "cpu", "rss", "code", "ended")


def main() -> None:
    told, command = sys.argv[1], sys.argv[2:]
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    ended = time.monotonic()
    cpu = used.ru_utime + used.ru_stime
    code = os.waitstatus_to_exitcode(status)
    values = (ended - began, cpu, used.ru_maxrss / 1024, code, ended)
    with open(told, "w") as file:  # noqa: PTH123 - pathlib would be half of its memory
        json.dump(dict(zip(_KEYS, values, strict=True)), file)


if __name__ == "__main__":
    main()
