from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.errors import ConfigError, EnvctlError
from envctl.model.failure import Culprit, Failure
from envctl.output.complaint import error_logfmt
from envctl.output.failure import MAX_HEIGHT, error_screen, failure_screen
from envctl.output.lines import plain_text
from envctl.output.symbols import ASCII, UNICODE
from tests.unit.output.samples import CONTEXT, EVIL, FAILURE, width_of


def screen(failure: Failure, width: int = 60, height: int | None = None) -> str:
    return plain_text(failure_screen(failure, width, height, UNICODE))


def test_the_screen_has_all_that_explains_it() -> None:
    assert screen(FAILURE).splitlines()[1:8] == [
        "✘ Deployment/api cannot start: its program ends with code 1.",
        "",
        "  Deployment/api · container api · component api",
        "  container api ends with code 1: started 3 times",
        "  log, last 25 lines",
        "  │ line 5 of the log",
        "  │ line 6 of the log",
    ]
    assert screen(FAILURE).splitlines()[-7:] == [
        "  │ line 29 of the log",
        "  events",
        "  │ BackOff: restarting failed container",
        "",
        "  2 other components only wait for this.",
        "",
        "→ Look at the first lines of the log.",
    ]


def test_three_culprits_share_the_screen_and_the_others_are_counted() -> None:
    shown = screen(replace(FAILURE, culprits=FAILURE.culprits * 5))
    assert shown.count("container api ends with code 1") == 3
    assert shown.count("of the log") == 3 * 8 + 1
    assert "2 more objects failed too: Deployment/api, Deployment/api." in shown


def test_the_same_failure_of_many_is_one_culprit_with_a_count() -> None:
    others = tuple(f"Deployment/w{number}" for number in range(19))
    shown = screen(replace(FAILURE, culprits=(replace(FAILURE.culprits[0], also=others),)), 100)
    assert "19 others fail for the same reason: Deployment/w0, Deployment/w1," in shown
    assert "and 14 more" in shown
    assert "Deployment/w5" not in shown


def test_what_was_not_ready_yet_is_named_at_the_end() -> None:
    shown = screen(replace(FAILURE, waiting=("Deployment/queue", "search")))
    assert "Not ready yet at the end: Deployment/queue, search." in shown


def test_what_the_verdict_says_is_not_said_again() -> None:
    culprit = Culprit("Deployment/web", "web", "ErrImagePull", "no such image", "web")
    shown = screen(Failure("web failed: Deployment/web: no such image.", (culprit,)))
    assert shown.count("no such image") == 1
    assert "ErrImagePull" in shown


def test_the_error_is_shown_where_noise_follows_it() -> None:
    noise = tuple(f"closing connection {number}" for number in range(20))
    logs = ("starting", "ValueError: no DATABASE_URL", *noise)
    shown = screen(replace(FAILURE, culprits=(replace(FAILURE.culprits[0], logs=logs),)), height=20)
    assert "ValueError: no DATABASE_URL" in shown
    assert "around its last error" in shown


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("height", [16, 24, 40, 200])
def test_it_is_one_screen_however_small(height: int, width: int) -> None:
    long = replace(FAILURE.culprits[0], logs=("x " * 200,) * 30)
    shown = screen(replace(FAILURE, culprits=(long,)), width, height)
    assert len(shown.splitlines()) <= min(height, MAX_HEIGHT)


@pytest.mark.parametrize(("width", "height"), [(80, 23), (120, 23), (60, 40)])
def test_three_culprits_with_all_their_evidence_fit_too(width: int, height: int) -> None:
    full = replace(
        FAILURE.culprits[0],
        message="its image cannot be pulled: " + "registry.example.org/group/image:1 " * 8,
        logs=("panic: why " + "x " * 200,) * 30,
        events=("BackOff: restarting failed container " + "y " * 100,) * 5,
        also=tuple(f"Deployment/other-{number}" for number in range(9)),
    )
    failure = replace(FAILURE, culprits=(full,) * 4, waiting=("search", "queue"))
    shown = screen(failure, width, height)
    assert len(shown.splitlines()) <= height
    assert shown.rstrip().endswith(FAILURE.next)


def test_the_last_line_of_a_log_is_shown_in_full_when_others_are_cut() -> None:
    last = "panic: " + "why " * 20
    culprit = replace(FAILURE.culprits[0], logs=("y " * 100,) * 20 + (last,))
    shown = screen(replace(FAILURE, culprits=(culprit,)), height=20)
    assert shown.count("why") == 20
    assert "y…" in shown.replace(" ", "")


def test_a_bare_error_says_what_why_and_next() -> None:
    error = ConfigError("No chart.", why="deploy/db is no folder.", next="Fix the path.")
    assert plain_text(error_screen(error, 60, 24, ASCII)) == (
        "x No chart.\n  deploy/db is no folder.\n\n> Fix the path.\n"
    )


def test_an_error_with_a_diagnosis_shows_both() -> None:
    error = EnvctlError("The step api failed.", next="not this", failure=FAILURE)
    shown = plain_text(error_screen(error, 60, None, UNICODE))
    assert shown.startswith("✘ The step api failed.\n  Deployment/api cannot start")
    assert "→ Look at" in shown
    assert "not this" not in shown


def test_the_same_sentence_is_not_said_twice() -> None:
    shown = plain_text(error_screen(EnvctlError(FAILURE.verdict, failure=FAILURE), 80, None, ASCII))
    assert shown.count(FAILURE.verdict) == 1


@given(st.text(st.characters(exclude_categories=())), st.integers(30, 120))
def test_no_text_breaks_the_screen(text: str, width: int) -> None:
    culprit = Culprit(text, text, text, text, text, (text,) * 3, (text,), text)
    failure = Failure(text + EVIL, (culprit,) * 2, text, 1)
    for line in failure_screen(failure, width, 24, UNICODE):
        assert width_of(line) <= width
    assert "\x1b" not in screen(failure, width)


def test_without_a_screen_the_same_is_said_in_lines() -> None:
    lines = error_logfmt(CONTEXT, EnvctlError("It failed.", next="Look.", failure=FAILURE), 9.0)
    assert "exit_code=1" in lines[0]
    assert "dependants=2" in lines[1]
    assert "reason" not in lines[1]
    assert sum("source=log" in line for line in lines) == 25
    assert sum("source=event" in line for line in lines) == 1
    assert "2 other components only wait for this." in lines[-1]
    assert all("level=error" in line and "env=fix-cart" in line for line in lines)
