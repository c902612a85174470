from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.output.text import cells, clean, count, duration, fit, pad, wrap
from tests.unit.output.samples import EVIL


def test_escapes_and_controls_are_gone() -> None:
    assert clean(EVIL) == "abcde section_start:1:x gnp.exe [bold red]"


def test_an_escape_that_does_not_end_hides_nothing() -> None:
    assert clean("before\x1b]0;title and the rest") == "before0;title and the rest"


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_printable_only(text: str) -> None:
    for character in clean(text):
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
    assert "\x1b" not in clean(text, keep_newlines=True)


def test_long_values_are_cut_and_say_so() -> None:
    assert clean("x" * 30, limit=10) == "xxxxxxxxxx [+20 characters]"
    assert len(clean("y" * 10_000_000)) < 3000
    assert clean("y" * 10_000_000).endswith("[+9998000 characters]")


def test_newlines_are_kept_when_asked_for() -> None:
    assert clean("a\r\nb\n", keep_newlines=True) == "a\nb"
    assert clean("a\r\nb\tc") == "a b   c"


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0), ("✔", 1)]
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


@given(st.text(st.characters(exclude_categories=("C",))), st.integers(0, 40))
def test_fit_never_takes_more_than_it_may(text: str, width: int) -> None:
    assert cells(fit(text, width)) <= width
    assert cells(pad(fit(text, width), width)) == width


@given(st.text(st.characters(exclude_categories=("C", "Z"))), st.integers(8, 40))
def test_wrap_loses_nothing_and_fits(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join(lines) == text
    assert all(cells(line) <= width for line in lines)


def test_wrap_breaks_at_spaces() -> None:
    assert wrap("one two three\nfour", 8) == ["one two", "three", "four"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (-1, "0.0 s"),
        (8.14, "8.1 s"),
        (59.94, "59.9 s"),
        (59.96, "1 m 00 s"),
        (185, "3 m 05 s"),
        (3600, "1 h 00 m"),
        (93_600, "1 d 02 h"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_count() -> None:
    assert [count(1, "check"), count(2, "check")] == ["1 check", "2 checks"]
    assert count(2, "retry", "retries") == "2 retries"
