from __future__ import annotations

from dataclasses import replace

import pytest

from envctl.model.result import CheckResult, StuckObject
from envctl.output.lines import plain_text
from envctl.output.summary import down_lines, up_lines
from envctl.output.symbols import UNICODE
from tests.unit.output.samples import down_result, up_result


def test_up_ends_with_where_to_click() -> None:
    text = plain_text(up_lines(up_result(), UNICODE, 60, components=False))
    assert text == (
        "\n"
        "✔ shop/fix-cart is ready in 13.0 s\n"
        "  1 of 1 component changed, 1 of 1 check passed, 137 API\n"
        "  requests\n"
        "  http://fix-cart.localhost:8080/\n"
    )


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("unchanged", "✔ shop/fix-cart is up to date, checked in 13.0 s"),
        ("superseded", "⊘ shop/fix-cart was taken over by a newer pipeline after 13.0 s"),
        ("timed-out", "✘ shop/fix-cart was not ready in time, after 13.0 s"),
        ("failed", "✘ shop/fix-cart failed after 13.0 s"),
    ],
)
def test_up_says_how_it_ended(result: str, said: str) -> None:
    lines = plain_text(up_lines(up_result(result), UNICODE, 100, components=False)).splitlines()
    assert lines[1] == said
    assert ("http" in lines[-1]) is (result == "unchanged")


def test_without_a_tree_the_components_are_listed() -> None:
    result = replace(up_result(), checks=(CheckResult("load", "failed", 2.0),))
    lines = plain_text(up_lines(result, UNICODE, 100, components=True)).splitlines()
    assert lines[:2] == ["✔ db    helm   succeeded  8.1 s", "✘ load  check  failed  2.0 s"]
    assert "0 of 1 check passed" in lines[3]


def test_a_check_that_was_not_run_has_not_passed_and_a_failed_run_had_something_to_do() -> None:
    skipped = replace(up_result().components[0], state="skipped", changed=False)
    result = replace(
        up_result("failed"), components=(skipped,), checks=(CheckResult("load", "skipped", 0.0),)
    )
    text = plain_text(up_lines(result, UNICODE, 100, components=False))
    assert "0 of 1 component changed, 0 of 1 check passed" in text


def test_nothing_to_do_is_said() -> None:
    same = replace(up_result().components[0], changed=False)
    result = replace(up_result("unchanged"), components=(same, same), checks=())
    text = plain_text(up_lines(result, UNICODE, 100, components=False))
    assert "nothing to do in 2 components, 137 API requests" in text


def test_down_names_what_is_stuck_and_who_should_let_go() -> None:
    stuck = StuckObject(
        "PersistentVolumeClaim/data", ("example.org/x",), "x-operator should act.", "Start it."
    )
    text = plain_text(
        down_lines(down_result("stuck", stuck, leftovers=("ClusterRole/x",)), UNICODE)
    )
    assert text == (
        "✘ shop/fix-cart is stuck: 1 object will not go (5.4 s)\n"
        "  PersistentVolumeClaim/data  held by example.org/x\n"
        "  x-operator should act.\n"
        "  → Start it.\n"
        "  left over\n"
        "  │ ClusterRole/x\n"
    )


@pytest.mark.parametrize(
    ("result", "said"),
    [("gone", "is gone"), ("absent", "does not exist"), ("unknown", "may still be there")],
)
def test_down_says_how_it_ended(result: str, said: str) -> None:
    assert said in plain_text(down_lines(down_result(result), UNICODE))
