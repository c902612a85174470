from __future__ import annotations

import datetime as dt

import pytest

from envctl.model.environment import EnvironmentInfo, Phase
from envctl.output.lines import plain_text
from envctl.output.tables import Cell, Column, age, environment_lines, span, table_lines, time_left
from tests.unit.output.samples import EVIL, width_of

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
ENVIRONMENTS = [
    EnvironmentInfo(
        "shop",
        "fix-cart",
        "shop-fix-cart",
        Phase.READY,
        url="http://fix-cart.preview.example.org/",
        created_at="2026-11-21T08:00:00Z",
        expires_at="2026-11-23T13:30:00Z",
        commit="0123456789abcdef",
        merge_request="42",
        owner="ada",
    ),
    EnvironmentInfo("shop", "old", "shop-old", Phase.STUCK, expires_at="2026-11-23T11:00:00Z"),
]


def test_wide_tables_show_all_columns() -> None:
    assert plain_text(environment_lines(ENVIRONMENTS, NOW, None)) == (
        "NAME      PROJECT  PHASE  AGE   LEFT     OWNER  COMMIT    MR   URL\n"
        "fix-cart  shop     Ready  2d4h  1h30m    ada    01234567  !42  "
        "http://fix-cart.preview.example.org/\n"
        "old       shop     Stuck        expired\n"
    )


def test_narrow_tables_keep_what_matters() -> None:
    lines = environment_lines(ENVIRONMENTS, NOW, 60)
    assert all(width_of(line) <= 60 for line in lines)
    text = plain_text(lines)
    assert "NAME      PHASE" in text
    assert "LEFT" in text


@pytest.mark.parametrize("width", [12, 20, 30, 45, 60, 80, 100, 200])
def test_a_table_is_never_wider_than_the_screen(width: int) -> None:
    lines = environment_lines(ENVIRONMENTS * 3, NOW, max(width, 25))
    assert all(width_of(line) <= max(width, 25) for line in lines)


def test_columns_without_values_are_left_out() -> None:
    lines = table_lines([Column("A"), Column("B")], [["x", ""], [Cell("y", "good"), ""]], None)
    assert plain_text(lines) == "A\nx\ny\n"


def test_values_are_neutralised() -> None:
    assert "\x1b" not in plain_text(table_lines([Column("A")], [[EVIL], [Cell(EVIL)]], 40))


def test_no_environments_is_said() -> None:
    assert plain_text(environment_lines([], NOW, 60)) == "No environments.\n"


def test_moments_that_are_none_are_empty() -> None:
    assert [age(text, NOW) for text in ("", "yesterday", "2026-11-23T11:59:15")] == ["", "", "45s"]
    assert time_left("soon", NOW) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (45, "45s"), (200, "3m"), (19_300, "5h21m"), (187_300, "2d4h")],
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text
