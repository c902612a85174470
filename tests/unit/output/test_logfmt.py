from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model.events import (
    Event,
    GraphPlanned,
    LogLine,
    Note,
    RequestsCounted,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
    Waiting,
)
from envctl.model.step import Outcome
from envctl.output.logfmt import CONTEXT_KEYS, event_line, logfmt_line
from envctl.output.throttle import Throttle
from tests.unit.output.samples import CONTEXT, DB, EVIL, FAILURE, SMOKE

_PAIR = re.compile(r'([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?: |$)')

EVENTS: list[tuple[Event, str]] = [
    (GraphPlanned((DB, SMOKE)), "msg=planned"),
    (StepStarted(DB, 1, 1.0), "msg=started"),
    (StepProgress(DB, 1, 2.0, "applied", (Waiting("Deployment/db", "0 of 1"),), 1, 2), "ready=1"),
    (StepRetried(DB, 1, 3.0, "helm", "connection refused", 1.5), "policy=helm"),
    (StepRetried(None, 1, 3.0, "api", "connection refused", 1.5), "step= "),
    (StepFinished(DB, 2, 4.0, Outcome.FAILED, 3.0, failure=FAILURE), "level=error"),
    (Note("warning", "drift", 5.0, DB, {"object": "Deployment/db"}), "object=Deployment/db"),
    (LogLine(SMOKE, 6.0, "smoke", "smoke-x", "main", "hello world"), 'msg="hello world"'),
    (RequestsCounted(7.0, {"get": 3}), "get=3"),
]


def keys(line: str) -> list[str]:
    """The keys of a line; fails where it is not logfmt from its first character to its last."""
    pairs = list(_PAIR.finditer(line))
    assert "".join(pair.group(0) for pair in pairs) == line
    return [pair.group(1) for pair in pairs]


@pytest.mark.parametrize(("event", "part"), EVENTS, ids=lambda value: type(value).__name__)
def test_every_event_has_a_line_with_the_whole_context(event: Event, part: str) -> None:
    line = event_line(CONTEXT, event)
    assert part in line
    assert tuple(keys(line)[: len(CONTEXT_KEYS)]) == CONTEXT_KEYS


def test_times_are_utc_with_the_elapsed_seconds_added() -> None:
    assert logfmt_line(CONTEXT, "info", "x", elapsed=1.5).startswith("ts=2027-01-15T08:00:01.500Z ")


def test_what_a_pod_says_cannot_leave_its_value() -> None:
    line = event_line(CONTEXT, LogLine(SMOKE, 1.0, "c", "p", "m", f'x" level=error{EVIL}\nfake=1'))
    assert keys(line)[-3:] == ["component", "pod", "container"]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)
    assert "fake=1" in line
    assert "\\nfake" in line


def test_spaces_that_do_not_look_like_one_are_quoted_too() -> None:
    assert 'msg="a b c"' in logfmt_line(CONTEXT, "info", "a\u00a0b\u3000c")


def test_extra_fields_do_not_replace_the_context() -> None:
    line = logfmt_line(CONTEXT, "info", "x", {"env": "other", "a b=": 1, "": 2})
    assert keys(line)[-3:] == ["field_env", "a_b_", "_"]


def test_values_are_bounded() -> None:
    assert len(logfmt_line(CONTEXT, "info", "x" * 100_000)) < 3000


@given(st.text(st.characters(exclude_categories=())), st.text())
def test_any_text_gives_one_line_of_logfmt(text: str, key: str) -> None:
    line = logfmt_line(CONTEXT, "info", text, {key: text})
    assert len(line.splitlines()) == 1
    assert len(keys(line)) == len(CONTEXT_KEYS) + 1


def test_progress_is_shown_when_it_moved_and_as_a_sign_of_life() -> None:
    def at(elapsed: float, ready: int) -> StepProgress:
        return StepProgress(DB, 1, elapsed, "applied", (), ready, 9)

    shows = Throttle(quick=1.0, slow=15.0)
    moments = [at(0, 0), at(0.5, 1), at(1.2, 2), at(3, 2), at(16.3, 2)]
    assert [shows(event) for event in moments] == [True, False, True, False, True]
    assert shows(StepFinished(DB, 1, 16.4, Outcome.SUCCEEDED, 16.4))
