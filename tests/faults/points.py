"""Kill points: which there are, and what came of each, kept in a file as they end."""

from __future__ import annotations

import json
import random
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.faults.inject import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: By hand, and by a teardown instead.
AGAIN, DOWN = "again", "down"
#: After these nothing was put in order any more: a teardown of what they leave is tried as well.
_TORN = (Fault.KILL_BEFORE, Fault.KILL_AFTER)
_LAST = ("down", "gc", "uninstall")


@dataclass(frozen=True)
class Point:
    """The ``at``-th request of a verb, a fault, and what is done afterwards."""

    tool: str
    verb: str
    fault: Fault
    at: int
    recovery: str = AGAIN

    @property
    def key(self) -> str:
        return f"{self.tool}|{self.verb}|{self.fault.name}|{self.at}|{self.recovery}"


@dataclass(frozen=True)
class Outcome:
    """What came of a point.

    ``end``: ``cured`` in the same run, ``same`` state after the re-run, ``gone`` after a teardown,
    ``stuck``; or ``missed`` where the run had fewer requests, so that nothing happened to it.
    ``commit`` is the state of envctl that was struck.
    """

    point: Point
    end: str
    request: str
    code: int | None
    seconds: float
    recovery: float = 0.0
    why: str = ""
    commit: str = ""

    def line(self) -> str:
        found = asdict(self)
        found["point"] = {**asdict(self.point), "fault": self.point.fault.name}
        return json.dumps(found)


def of(tool: str, requests: dict[str, int], of_helm: dict[str, int]) -> list[Point]:
    """Every point of a tool, given how many requests an undisturbed run of each verb makes."""
    found = []
    for verb, count in requests.items():
        for fault in Fault:
            if fault.of_helm and tool.startswith("shell"):
                continue  # there, helm is the run
            total = of_helm[verb] if fault.of_helm else count
            found += [Point(tool, verb, fault, k) for k in range(1, total + 1)]
            if fault in _TORN and verb not in _LAST and tool.startswith("envctl"):
                found += [Point(tool, verb, fault, k, DOWN) for k in range(1, total + 1)]
    return found


def shuffled(points: Iterable[Point], seed: int) -> dict[str, deque[Point]]:
    """The points by verb, in an order in which every part is a fair sample of the whole."""
    ordered = sorted(points, key=lambda point: point.key)
    random.Random(seed).shuffle(ordered)
    queues: dict[str, deque[Point]] = {}
    for point in ordered:
        queues.setdefault(point.verb, deque()).append(point)
    return queues


def read(path: Path) -> list[Outcome]:
    """What is known already; the last word on a point counts."""
    if not path.exists():
        return []
    found: dict[str, Outcome] = {}
    for line in path.read_text().splitlines():
        raw = json.loads(line)
        raw["point"]["fault"] = Fault[raw["point"]["fault"]]
        outcome = Outcome(**{**raw, "point": Point(**raw["point"])})
        found[outcome.point.key] = outcome
    return list(found.values())
