"""What the benchmarks make of what they measure: ratios, goals, the table, the picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.bench import page, plot, quick, requests, scale, workloads
from tests.bench.__main__ import RESULTS
from tests.bench.line import Floor, Goal, Line
from tests.bench.measure import Figure, Ran, paired
from tests.bench.results import Results
from tests.unit.repository.files import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINE = Line(
    "A", "20 ms", "s",
    {"envctl": Figure(2.0, 1.5, 2.5, 5, 1.0, 80.0), "helm": Figure(30.0, 25.0, 35.0, 5)},
    {"helm": 15.0},
    (Goal("helm", 20, 15.0, most=False), Goal("API requests", 12, 11, unit="")),
    Floor(0.5, "bare Python"), "of 2.00 s: the API server 1.50 s", "a note", "ask less.",
)  # fmt: skip
FACTS = {
    "date": "2026-11-27", "machine": "2 CPUs, 24 GiB, Linux 6.18", "load": 0.5, "rounds": 5,
    "versions": {"envctl": "0.1.0"},
}  # fmt: skip


def _ran(wall: float) -> Ran:
    return Ran(wall, 0.0, 10.0, 0, 0.0, "", "")


def test_a_ratio_is_made_of_each_pair_before_the_median() -> None:
    ours, theirs = [1.0, 2.0, 10.0], [4.0, 6.0, 20.0]
    order: list[str] = []

    def contestant(name: str, values: list[float]) -> Callable[[int], Ran]:
        def once(number: int) -> Ran:
            order.append(name)
            return _ran(values[number])

        return once

    found = paired(3, {"envctl": contestant("envctl", ours), "helm": contestant("helm", theirs)})
    assert found.ratio("helm") == 3.0, "of 4, 3 and 2; that of the medians would be 3 by chance"
    assert order == ["envctl", "helm", "helm", "envctl", "envctl", "helm"]


@pytest.mark.parametrize(("most", "reached", "met"), [
    (True, 12, True), (True, 12.1, False), (False, 12, True), (False, 11.9, False),
])  # fmt: skip
def test_a_goal_is_met_on_its_own_side(most: bool, reached: float, met: bool) -> None:
    assert Goal("it", 12, reached, most=most).met is met


def test_a_row_is_read_as_it_was_kept(tmp_path: Path) -> None:
    results = Results(tmp_path / "bench")
    results.keep("A", FACTS, [LINE])
    assert results.read() == ({"A": FACTS}, [LINE])
    kept = json.loads(results.file("A").read_text())["lines"][0]
    assert kept["timesFloor"] == 4.0
    assert [goal["met"] for goal in kept["goals"]] == [False, True]


def test_the_page_says_what_was_missed_and_what_the_time_went_into() -> None:
    counted = replace(LINE, row="J", condition="S, up", unit="requests", goals=(), ratios={})
    text = page.page({"A": FACTS, "J": FACTS}, [LINE, counted])
    missed = text.partition("## What was missed")[2].partition("##")[0]
    assert "helm ≥ 20×: 15×" in missed
    assert "the API server 1.50 s" in missed
    assert "Next: ask less." in missed
    assert "API requests" not in missed
    assert "| A | 20 ms | 2 s (1.50-2.50), 80 MiB | helm 30 s (25-35) | helm 15× |" in text
    assert "| S, up | 2 |" in text


def test_the_page_in_the_docs_is_made_of_what_was_measured(tmp_path: Path) -> None:
    """``python -m tests.bench --only-page --docs`` makes it anew."""
    facts, lines = Results(RESULTS).read()
    (tmp_path / "images").mkdir()
    pictures = scale.pictures(RESULTS, tmp_path / "images")
    assert text("docs/benchmarks.md") == page.page(facts, lines, pictures)
    for name in pictures:
        assert text(f"docs/images/{name}") == (tmp_path / "images" / name).read_text()


def test_what_differs_from_what_was_recorded_is_named() -> None:
    recorded = {"up": {"envctl get namespaces": 1}}
    assert quick.differences(recorded, recorded) == []
    found = {"up": {"envctl get namespaces": 2, "helm get secrets": 1}}
    assert quick.differences(recorded, found) == [
        "up: envctl get namespaces: 2 instead of 1",
        "up: helm get secrets: 1 instead of 0",
    ]


def test_requests_are_told_apart_by_who_asks() -> None:
    about = {"resource": "pods", "subresource": "status"}
    events: list[dict[str, Any]] = [
        {"userAgent": "Helm/4.3.1", "verb": "create", "objectRef": {"resource": "secrets"}},
        {"userAgent": "envctl/0.1.0 (run 1)", "verb": "patch", "objectRef": about},
        {"userAgent": "kubectl/v1 (linux)", "verb": "get", "requestURI": "/api?timeout=32s"},
    ]
    counts = requests.counted(events)
    assert set(counts) == {
        "helm create secrets", "envctl patch pods/status", "kubectl get /api"
    }  # fmt: skip
    assert requests.by_verb(counts) == {"create": 1, "get": 1, "patch": 1}


def test_the_workloads_are_as_large_as_they_are_said_to_be() -> None:
    assert len(workloads.small()) == 3
    assert len(workloads.large()) == 300
    needs = workloads.releases()
    assert len(needs) == 20
    assert [len(before) for before in needs.values()] == [0] * 4 + [4] * 16
    assert (
        sum(a != b for a, b in zip(workloads.large("one"), workloads.large("two"), strict=True))
        == 1
    )


def test_the_picture_is_well_formed_and_has_every_point() -> None:
    panel = plot.Panel("seconds (s) & more", [(10, 0.2), (100, 0.21), (10_000, 3.4)])
    picture = plot.picture("envctl list", [panel, panel])
    tree = ET.fromstring(picture)
    circles = [element for element in tree.iter() if element.tag.endswith("circle")]
    assert len(circles) == 6
