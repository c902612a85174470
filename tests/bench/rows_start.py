"""Row I: what a command costs before it has done anything."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.bench import imports
from tests.bench.line import OURS, Floor, Goal, Line
from tests.bench.measure import Figure, paired, run
from tests.cluster.node import Envctl, tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.lab import Lab

_BARE = "bare Python"


def start(lab: Lab) -> Iterator[Line]:
    """I: beside ``helm version`` and a Python that does nothing."""
    for argument in ("--help", "--version"):
        yield _one(lab, argument)


def _one(lab: Lab, argument: str) -> Line:
    helm, own = [tool("helm"), "version"], Envctl().command(argument)
    found = paired(
        max(lab.rounds * 4, 4),
        {
            OURS: lambda _: run(own),
            "helm version": lambda _: run(helm),
            _BARE: lambda _: run([sys.executable, "-c", "pass"]),
        },
    )
    values = {who: [1000 * value for value in each] for who, each in found.values.items()}
    figures = {who: Figure.of(each, found.runs[who]) for who, each in values.items()}
    bare = figures[_BARE].median
    return Line(
        "I", f"`envctl {argument}`", "ms", figures,
        {"helm version": found.ratio("helm version")},
        (Goal("more than bare Python", 120, figures[OURS].median - bare, unit=" ms"),),
        Floor(bare, "bare Python"), imports.dearest([argument]),
        idea="typer is a third of it, and the options of all verbs are read for the help of one.",
    )  # fmt: skip
