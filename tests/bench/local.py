"""How fast the embedded cluster starts and stops, and what it takes: `task bench -- local`.

Every figure is measured on a node of its own, started and stopped as often as ``RUNS`` says; the
programs are built beforehand, since a user builds them once. Prints a table and a JSON line. It is
no test: an absolute time says little on a machine that somebody else uses too.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cluster.node import Envctl

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = int(os.environ.get("ENVCTL_BENCH_RUNS", "5"))
NAME = "bench"
MEBIBYTE_IN_KIB = 1024


def main() -> int:
    """Measure, print, and leave nothing running."""
    envctl = Envctl()
    envctl("local", "start", "--name", NAME, check=0, timeout=3600)  # builds what is missing
    envctl("local", "stop", "--name", NAME, check=0)
    runs = []
    for number in range(1, RUNS + 1):
        runs.append(_run(envctl))
        print(f"run {number} of {RUNS}: {json.dumps(runs[-1])}", file=sys.stderr, flush=True)
    median = {key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]}
    machine = {"cores": os.cpu_count(), "kernel": platform.release()}
    print(f"\n{'median of ' + str(RUNS):32} {'value':>10}")
    for key, value in median.items():
        print(f"{key:32} {value:>10}")
    print(json.dumps({"machine": machine, "median": median, "runs": runs}))
    return 0


def _run(envctl: Envctl) -> dict[str, float]:
    started = envctl("local", "start", "--name", NAME, check=0)
    found = envctl("local", "status", "--name", NAME, "-o", "json", check=0).json
    status = _status(Path(found["kubeconfig"]))
    measured = {f"{phase}: seconds": seconds for phase, seconds in status["seconds"].items()}
    measured["start: seconds"] = started.seconds
    measured["memory: MiB"] = _memory(status["inside"])
    began = time.monotonic()
    envctl("local", "stop", "--name", NAME, check=0)
    measured["stop: seconds"] = time.monotonic() - began
    return {key: round(value, 2) for key, value in measured.items()}


def _status(kubeconfig: Path) -> dict[str, Any]:
    """What the supervisor has written about itself beside the kubeconfig."""
    found: dict[str, Any] = json.loads((kubeconfig.parent / "status.json").read_text())
    return found


def _memory(inside: int) -> float:
    """Proportional memory of the node's process 1 and everything below it, pods too, in MiB."""
    parents = dict(_parents())
    kib = 0
    for pid in parents:
        ancestor = pid
        while ancestor not in {0, inside}:
            ancestor = parents.get(ancestor, 0)
        if ancestor == inside:
            kib += _proportional(pid)
    return kib / MEBIBYTE_IN_KIB


def _parents() -> Iterator[tuple[int, int]]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # The name in parentheses may hold anything, so count from behind it.
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            yield int(process.name), int(fields[1])


def _proportional(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
