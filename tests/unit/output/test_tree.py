from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envctl.model.events import (
    Event,
    GraphPlanned,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
    Waiting,
)
from envctl.model.step import Outcome, Step
from envctl.output.lines import plain, plain_text
from envctl.output.state import RunState, reduce
from envctl.output.symbols import ASCII, UNICODE, Symbols
from envctl.output.tree import View, tree_lines
from tests.unit.output.samples import (
    API_STEP,
    DB,
    EVIL,
    FAILURE,
    SMOKE,
    WEB,
    run_of,
    step,
    width_of,
)


def draw(events: list[Event], width: int = 60, height: int = 24, **options: object) -> str:
    state = functools.reduce(reduce, events, RunState())
    view = View(width, height, state.elapsed, UNICODE, "shop/fix-cart", "up")
    view = View(**{name: getattr(view, name) for name in View.__slots__} | options)  # type: ignore[arg-type]
    return plain_text(tree_lines(state, view))


def test_a_run_in_the_middle() -> None:
    events: list[Event] = [
        GraphPlanned((DB, API_STEP, WEB)),
        StepStarted(DB, 1, 0.0),
        StepFinished(DB, 1, 8.1, Outcome.SUCCEEDED, 8.1, changed=True),
        StepStarted(API_STEP, 1, 8.2),
        StepProgress(API_STEP, 1, 9, "applied", (Waiting("Deployment/api", "0 of 1"),), 1, 2),
    ]
    assert draw(events) == (
        "shop/fix-cart up                                       9.0 s\n"
        "├ ✔ db   ready                                         8.1 s\n"
        "├ ⠹ api  applied, 1 of 2 ready                         0.8 s\n"
        "│     Deployment/api  0 of 1\n"
        "╰ ○ web  needs api\n"
    )


def test_ascii_where_the_terminal_has_no_unicode() -> None:
    picture = draw(run_of(DB, API_STEP, failing=FAILURE), symbols=ASCII)
    assert picture.isascii()
    assert "x api" in picture
    assert "failed: Deployment/api cannot" in picture


def test_retries_say_when_and_why() -> None:
    events: list[Event] = [StepStarted(DB, 1, 0.0), StepRetried(DB, 1, 1.0, "helm", "reset", 1.5)]
    assert "↻ db  again in 1.5 s: reset" in draw(events)
    events.append(StepFinished(DB, 2, 4.0, Outcome.SUCCEEDED, 4.0))
    assert "ready, 1 retry" in draw(events)


def test_a_wait_past_half_its_time_names_its_limit() -> None:
    events: list[Event] = [StepStarted(DB, 1, 0.0), StepProgress(DB, 1, 31.0, "applied")]
    assert "applied, limit 1 m 00 s" in draw(events)


def test_a_run_that_was_interrupted_says_what_was_left() -> None:
    events: list[Event] = [
        GraphPlanned((DB, API_STEP)),
        StepStarted(DB, 1, 0.0),
        StepProgress(DB, 1, 2.0, "applied", (Waiting("Deployment/db", "0 of 1"),)),
    ]
    assert draw(events, final=True).splitlines()[1:] == [
        "├ ⊘ db   not finished: applied                         2.0 s",
        "╰ ○ api  not started",
    ]


def test_steps_of_one_component_are_told_apart() -> None:
    one, two = (Step(name, 9.0, component="api") for name in ("api/apply", "api/wait"))
    picture = draw([GraphPlanned((one, two))])
    assert "api/apply" in picture
    assert "api/wait" in picture


def test_more_awaited_objects_than_fit_are_counted() -> None:
    waiting = tuple(Waiting(f"Pod/{number}", "starting") for number in range(9))
    picture = draw([StepStarted(DB, 1, 0.0), StepProgress(DB, 1, 1.0, "applied", waiting)])
    assert "and 6 more" in picture


def hundred(done: int, running: int) -> list[Event]:
    steps = [step(f"service-{number:03}") for number in range(100)]
    events: list[Event] = [GraphPlanned(tuple(steps))]
    waiting = (Waiting("Deployment/x", "0 of 1"),) * 4
    for number, one in enumerate(steps[: done + running]):
        events.append(StepStarted(one, 1, 0.0))
        if number < done:
            events.append(StepFinished(one, 1, 1.0, Outcome.SUCCEEDED, 1.0))
        else:
            events.append(StepProgress(one, 1, 1.0, "applied", waiting))
    return events


@pytest.mark.parametrize(("done", "running"), [(0, 100), (50, 5), (90, 10), (0, 0), (99, 1)])
@pytest.mark.parametrize("height", [8, 24, 60])
def test_a_hundred_components_fit_on_the_screen(done: int, running: int, height: int) -> None:
    assert len(draw(hundred(done, running), height=height).splitlines()) <= height


def test_what_failed_is_never_folded_away() -> None:
    events = hundred(30, 60)
    failed = step("service-080")
    events.append(StepFinished(failed, 1, 9.0, Outcome.FAILED, 9.0, message="no such image"))
    picture = draw(events, height=12)
    assert "no such image" in picture
    assert "more at work" in picture


def test_the_summary_shows_all_but_what_was_unchanged() -> None:
    assert len(draw(hundred(100, 0), final=True).splitlines()) == 101
    steps = [step(f"service-{number:03}") for number in range(100)]
    same: list[Event] = [StepFinished(s, 1, 1.0, Outcome.UNCHANGED, 1.0) for s in steps]
    same.append(StepFinished(DB, 1, 1.0, Outcome.SUCCEEDED, 1.0))
    picture = draw(same, final=True)
    assert "100 steps unchanged" in picture
    assert len(picture.splitlines()) == 3


@settings(max_examples=60)
@given(
    st.integers(40, 130),
    st.integers(6, 40),
    st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=30, unique=True),
    st.sampled_from([UNICODE, ASCII]),
    st.text(),
)
def test_any_run_stays_within_the_screen(
    width: int, height: int, names: list[str], symbols: Symbols, said: str
) -> None:
    steps = [step(name) for name in names]
    events: list[Event] = [GraphPlanned(tuple(steps))]
    for one in steps[::2]:
        waiting = (Waiting(said, said),) * 3
        events += [StepStarted(one, 1, 0.0), StepProgress(one, 1, 1.0, said, waiting, 1, 2)]
    for one in steps[::4]:
        events.append(StepFinished(one, 1, 2.0, Outcome.FAILED, 2.0, message=said))
    state = functools.reduce(reduce, events, RunState())
    lines = tree_lines(state, View(width, height, 2.0, symbols, said, "up"))
    assert len(lines) <= height
    assert all(width_of(line) <= width for line in lines)


def test_nothing_from_outside_moves_the_cursor() -> None:
    events: list[Event] = [
        StepStarted(DB, 1, 0.0),
        StepProgress(DB, 1, 1.0, EVIL, (Waiting(EVIL, EVIL),)),
        StepFinished(SMOKE, 1, 1.0, Outcome.FAILED, 1.0, message=EVIL),
    ]
    picture = draw(events)
    assert "\x1b" not in picture
    assert "\r" not in picture


def test_names_keep_their_column() -> None:
    state = functools.reduce(reduce, run_of(DB, step("日本")), RunState())
    rows = [plain(line) for line in tree_lines(state, View(60, 24, 4.0, UNICODE))][1:]
    assert rows[0].index("ready") == rows[1].index("ready") + 2
