"""One line of the table: what a row came to under one condition. Data, and its JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from tests.bench.measure import Figure

OURS = "envctl"


@dataclass(frozen=True)
class Goal:
    """What was wanted, what was reached. ``most`` means the figure must not be above it."""

    what: str
    wanted: float
    reached: float
    most: bool = True
    unit: str = "×"

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.reached <= self.wanted if self.most else self.reached >= self.wanted

    def __str__(self) -> str:
        sign = "≤" if self.most else "≥"
        return f"{self.what} {sign} {number(self.wanted)}{self.unit}: {self.has}"

    @property
    def has(self) -> str:
        """What was reached, in words."""
        return f"{number(self.reached)}{self.unit}"


@dataclass(frozen=True)
class Floor:
    """What cannot be gone below, in the line's unit, and what it consists of."""

    value: float
    what: str


@dataclass(frozen=True)
class Line:
    """A row under one condition. ``unit`` is that of all figures: ``s``, ``ms`` or ``requests``.

    ``why`` says where envctl's time went, ``notes`` what has to be known to read the figures, and
    ``idea`` what would bring it nearer to a goal that it misses.
    """

    row: str
    condition: str
    unit: str
    figures: dict[str, Figure]
    ratios: dict[str, float] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    floor: Floor | None = None
    why: str = ""
    notes: str = ""
    idea: str = ""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    at: str = ""

    @property
    def ours(self) -> Figure:
        """envctl's own figure."""
        return self.figures[OURS]

    @property
    def times_floor(self) -> float | None:
        """How many times the floor envctl takes."""
        if self.floor is None or self.floor.value <= 0:
            return None
        return self.ours.median / self.floor.value

    def as_json(self) -> dict[str, Any]:
        """The entry of the JSON file."""
        found = dataclasses.asdict(self)
        found["goals"] = [{**dataclasses.asdict(goal), "met": goal.met} for goal in self.goals]
        return {**found, "timesFloor": self.times_floor}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Line:
        """What ``as_json`` has written."""
        rest = {k: v for k, v in found.items() if k != "timesFloor"}
        goals = [{k: v for k, v in goal.items() if k != "met"} for goal in rest["goals"]]
        return cls(**{
            **rest,
            "figures": {name: Figure(**figure) for name, figure in rest["figures"].items()},
            "goals": tuple(Goal(**goal) for goal in goals),
            "floor": Floor(**rest["floor"]) if rest["floor"] else None,
        })  # fmt: skip


def number(value: float) -> str:
    """Three digits that mean something, no more."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
