"""Row J: the API requests of each verb, recorded, so that none rises unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import counting
from tests.bench.line import OURS, Line
from tests.bench.measure import Figure
from tests.bench.requests import by_verb

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tests.bench.lab import Lab


def requests(lab: Lab) -> Iterator[Line]:
    """J: S, M and L, on fake nodes; what is exact is held by the quick mode."""
    node = lab.fake()
    for workload in counting.WORKLOADS:
        ours = counting.envctl(lab, node, workload)
        theirs = counting.others(lab, node, workload)
        for verb, counts in ours.items():
            others = {who: each[verb] for who, each in theirs.items() if verb in each}
            figures = {OURS: _figure(sum(by_verb(counts).values()))}
            figures |= {who: _figure(sum(each.values())) for who, each in others.items()}
            ratios = {
                who: figure.median / figures[OURS].median
                for who, figure in figures.items()
                if who != OURS and figures[OURS].median
            }
            yield Line(
                "J", f"{workload}, {verb}", "requests", figures, ratios,
                counts={OURS: dict(counts), **{who: dict(each) for who, each in others.items()}},
                notes=_words(counts),
            )  # fmt: skip


def _figure(number: int) -> Figure:
    return Figure(number, number, number, 1)


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{verb} {number}" for verb, number in by_verb(counts).items())
