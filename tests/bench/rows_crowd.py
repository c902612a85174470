"""Row P: many pipelines at once on one cluster, each with an environment of its own.

They share the machine with the server, so that each is slower than alone. How much slower that
makes them by itself is known from what one run costs alone, server included: if all of them
together take longer than the processors need for that, they wait for each other.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench import workloads
from tests.bench.lab import Place
from tests.bench.line import OURS, Floor, Goal, Line
from tests.bench.measure import Figure, Ran
from tests.bench.rows_same import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.lab import Lab

CROWD = 50
_ALONE = "one alone"
#: Columns of /proc/stat in which a processor works: all but idle and waiting for a disk.
_IDLE = (3, 4)


def crowd(lab: Lab) -> Iterator[Line]:
    """P: ``up`` of S by 50 at once, beside one alone."""
    node = lab.fake()
    place = Place(
        node, workloads.manifests(lab.place(), node.context, workloads.small()), node.kubeconfig
    )
    _together(lab, place, 1)  # whoever comes first in a cluster makes the namespace of the locks
    alone = [_together(lab, place, 1) for _ in range(lab.rounds)]
    many = [_together(lab, place, CROWD) for _ in range(lab.rounds)]
    least = median(busy for _, busy, _ in alone) * CROWD / (os.cpu_count() or 1)
    walls = [wall for wall, _, _ in many]
    ours, ones = ([ran for _, _, runs in found for ran in runs] for found in (many, alone))
    yield Line(
        "P", f"{CROWD} at once, S", "s",
        {
            OURS: Figure.of(walls, ours),
            "each of them": Figure.of([ran.wall for ran in ours], ours),
            _ALONE: Figure.of([wall for wall, _, _ in alone], ones),
        },
        goals=(Goal("what the processors need for them", 1.25, median(walls) / least),),
        floor=Floor(least, f"{CROWD} times the processor seconds of one alone, the server's "
                    f"included, on {os.cpu_count()} processors"),
        notes=f"Until the last of them has ended. Requests of one alone: "
        f"{_span(ones)}, of each of {CROWD}: {_span(ours)}; all of them succeeded.",
    )  # fmt: skip


def _together(lab: Lab, place: Place, number: int) -> tuple[float, float, list[Ran]]:
    """Seconds until the last has ended, processor seconds of the whole machine, and the runs."""
    names = [lab.fresh() for _ in range(number)]
    with ThreadPoolExecutor(number) as pool:
        busy, began = _busy(), time.monotonic()
        runs = list(pool.map(place.up, names))
        took = time.monotonic() - began
        busy = _busy() - busy
        list(pool.map(place.down, names))
    return took, busy, runs


def _busy() -> float:
    """Seconds for which all processors of the machine have worked since it started."""
    line = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    ticks = sum(int(value) for column, value in enumerate(line[:8]) if column not in _IDLE)
    return ticks / os.sysconf("SC_CLK_TCK")


def _span(runs: Sequence[Ran]) -> str:
    asked = [requests_of(ran) for ran in runs]
    least, most = min(asked), max(asked)
    return f"{least}" if least == most else f"{least} to {most}"
