"""A run's timeline: sums, rows and the chain of steps that decided its end."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from envctl.model.events import Spent, StepFinished
from envctl.model.step import Outcome, Step
from envctl.model.timeline import Bar, critical_path, lanes, rows, union


def finished(
    name: str, began: float, ended: float, *needs: str, how: str = "succeeded"
) -> StepFinished:
    return StepFinished(Step(name, 60.0, needs), 1, ended, Outcome(how), ended - began)


def run(*events: StepFinished) -> dict[str, StepFinished]:
    return {event.step.name: event for event in events}


DIAMOND = run(
    finished("plan", 0, 1),
    finished("db", 1, 9, "plan"),
    finished("cache", 1, 3, "plan"),
    finished("web", 9, 12, "db", "cache"),
    finished("late", 12, 12, "web", how="skipped"),
)


def test_the_chain_that_decided_the_end() -> None:
    assert critical_path(DIAMOND) == ["plan", "db", "web"]
    assert critical_path({}) == []


def test_a_lane_sums_what_goes_on_at_once_only_once() -> None:
    web = DIAMOND["web"].step
    spent = [
        Spent(web, "api", "GET a", 9.0, 10.0),
        Spent(web, "api", "GET b", 9.5, 10.5),
        Spent(web, "scheduling", "pod", 8.0, 9.25),
        Spent(None, "api", "GET lease", 0.0, 0.5),
    ]
    found = {lane.step: lane for lane in lanes(DIAMOND, spent)}
    assert list(found) == ["", "plan", "cache", "db", "web"]
    assert found["web"].seconds == {"api": 1.5, "scheduling": 0.25}, "not before its step began"
    assert (found["web"].requests, found[""].requests) == (2, 1)
    assert [lane.step for lane in found.values() if lane.critical] == ["plan", "db", "web"]


BARS = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 100)).map(
        lambda pair: Bar("api", "GET", min(pair), max(pair))
    )
)


@given(BARS)
def test_rows_lose_nothing_and_overlap_nowhere(bars: list[Bar]) -> None:
    found = rows(bars)
    assert sorted(map(id, (bar for row in found for bar in row))) == sorted(map(id, bars))
    for row in found:
        assert all(a.ended <= b.began for a, b in itertools.pairwise(row))
    longest = max((bar.ended - bar.began for bar in bars), default=0.0)
    assert longest <= union(bars) + 1e-9 <= sum(b.ended - b.began for b in bars) + 2e-9
