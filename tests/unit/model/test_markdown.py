from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envctl.model import markdown
from tests.unit.model.commonmark import PARSER, check_harmless, hostile, text_of, tokens


@given(hostile)
@example("@all please\n/close")
@example("`` ` ``")
def test_text_is_only_said(value: str) -> None:
    check_harmless(markdown.text(value, 500))


@given(hostile)
def test_code_is_only_said_and_is_code(value: str) -> None:
    shown = markdown.code(value, 500)
    check_harmless(shown)
    assert set("".join(text_of(shown))) <= {"|", " "}


@given(st.lists(hostile, max_size=5))
def test_a_block_of_code_ends_where_we_end_it(lines: list[str]) -> None:
    shown = markdown.fenced(lines)
    blocks = list(tokens(shown + "\n\nafter"))
    assert [token.type for token in blocks if token.type == "fence"] == ["fence"]
    assert text_of(shown + "\n\nafter") == ["after"]
    assert len(blocks[0].content.split("\n")) == len(lines) + 1
    check_harmless(shown)


@given(hostile, st.lists(hostile, max_size=3))
def test_a_fold_closes(summary: str, lines: list[str]) -> None:
    check_harmless(markdown.details(summary, markdown.fenced(lines)))


@given(st.lists(st.tuples(hostile, hostile), min_size=1, max_size=4))
def test_a_table_keeps_its_rows_and_columns(values: list[tuple[str, str]]) -> None:
    rows = [(markdown.code(a, 80), markdown.text(b, 80), "last") for a, b in values]
    shown = markdown.table(("a", "b", ">c"), rows)
    check_harmless(shown)
    parsed = PARSER.parse(shown)
    assert [token.type for token in parsed].count("td_open") == 3 * len(rows)
    ends = [token.content for token in parsed if token.type == "inline"][5::3]
    assert ends == ["last"] * len(rows)


@given(hostile, hostile)
def test_a_link_goes_where_it_says_or_nowhere(label: str, rest: str) -> None:
    shown = markdown.link(label, f"https://shop.example/{rest}")
    hrefs = [str(token.attrs["href"]) for token in tokens(shown) if token.type == "link_open"]
    assert all(href.startswith("https://shop.example/") for href in hrefs)
    assert len(hrefs) <= 1
    check_harmless(shown, tuple(hrefs))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://e.x/", "//e.x/", "https://", "",
        "https://user:word@e.x/", "https://e.x\n/close", "https://e.x/ x", "https://e.x\u202e/",
        "https://e\u0430.x/", "https://[::1", "https://e.x/" + "a" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_no_link(url: str) -> None:
    assert "](" not in markdown.link("here", url)


def test_a_link_keeps_its_query_and_cannot_break_out() -> None:
    shown = markdown.link("here", "https://e.x/a?b=1&c=(2)[3]<4>#d")
    (opened,) = [token for token in tokens(shown) if token.type == "link_open"]
    assert opened.attrs["href"] == "https://e.x/a?b=1&c=%282%29%5B3%5D%3C4%3E#d"


def test_ordinary_sentences_stay_as_they_are() -> None:
    said = "The program ends with code 1, after 3 restarts."
    assert markdown.text(said, 100) == said


def test_a_fence_is_longer_than_any_inside_of_it() -> None:
    assert markdown.fenced(["a ```` b"]).startswith("`````text\n")
