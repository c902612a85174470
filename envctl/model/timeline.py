"""A run's timeline: what each step's time went into, and which chain of steps decided its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envctl.model.events import Spent, StepFinished

#: The kinds of ``Spent``, in the order in which they are shown.
KINDS = (
    "helm", "kustomize", "api", "pause", "scheduling", "init", "pull", "start", "readiness",
    "run",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the timeline, in seconds since the run began."""

    kind: str
    name: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Lane:
    """A step, and what it spent its time on; the run's own requests are a lane without a step."""

    step: str
    began: float
    ended: float
    outcome: str
    critical: bool
    bars: tuple[Bar, ...] = ()
    requests: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds by kind in which at least one stretch of that kind went on."""


def lanes(finished: Mapping[str, StepFinished], spent: Sequence[Spent]) -> list[Lane]:
    """The lanes of the steps that ran, by their begin; steps that were skipped are left out."""
    by_step: dict[str, list[Spent]] = {}
    for event in spent:
        by_step.setdefault(event.step.name if event.step else "", []).append(event)
    deciding = critical_path(finished)
    ran = [event for event in finished.values() if str(event.outcome) != "skipped"]
    found = [
        _lane(
            event.step.name, event.elapsed - event.seconds, event.elapsed, str(event.outcome),
            event.step.name in deciding, by_step.get(event.step.name, []),
        )
        for event in ran
    ]  # fmt: skip
    outside = by_step.get("", [])
    if outside:
        began, ended = min(e.began for e in outside), max(e.elapsed for e in outside)
        found.append(_lane("", began, ended, "", False, outside))
    return sorted(found, key=lambda lane: (lane.began, lane.ended, lane.step))


def _lane(
    step: str, began: float, ended: float, outcome: str, critical: bool, spent: Sequence[Spent]
) -> Lane:
    bars = sorted(
        # The cluster tells whole seconds: what it says must not begin before the step that made it.
        (Bar(e.kind, e.name, max(e.began, began), max(e.elapsed, began)) for e in spent),
        key=lambda bar: bar.began,
    )
    seconds = {kind: union([bar for bar in bars if bar.kind == kind]) for kind in KINDS}
    return Lane(
        step, began, ended, outcome, critical, tuple(bars),
        sum(bar.kind == "api" for bar in bars),
        {kind: value for kind, value in seconds.items() if value},
    )  # fmt: skip


def union(bars: Sequence[Bar]) -> float:
    """Seconds that the stretches cover together: what goes on at once counts once."""
    total, reached = 0.0, float("-inf")
    for bar in sorted(bars, key=lambda bar: bar.began):
        total += max(0.0, bar.ended - max(bar.began, reached))
        reached = max(reached, bar.ended)
    return total


def critical_path(finished: Mapping[str, StepFinished]) -> list[str]:
    """The chain of steps that decided when the run ended, from its first to its last."""
    ran = {name: event for name, event in finished.items() if str(event.outcome) != "skipped"}
    if not ran:
        return []
    path = [max(ran.values(), key=lambda event: event.elapsed)]
    while True:
        needs = [ran[need] for need in path[-1].step.needs if need in ran]
        if not needs:
            return [event.step.name for event in reversed(path)]
        path.append(max(needs, key=lambda event: event.elapsed))


def rows(bars: Sequence[Bar]) -> list[list[Bar]]:
    """The stretches in as few rows as can be, so that none covers another one in its row."""
    found: list[list[Bar]] = []
    for bar in sorted(bars, key=lambda bar: (bar.began, bar.ended)):
        for row in found:
            if row[-1].ended <= bar.began:
                row.append(bar)
                break
        else:
            found.append([bar])
    return found
