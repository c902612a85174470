from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model.markdown import code, details, fenced, link, table, text
from tests.unit.model.reading import STRINGS, harm, inline, links, texts, tokens


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Look at the first lines.", "Look at the first lines."),
        ("ends with code 1.", "ends with code 1."),
        ("Deployment/api cannot start: no.", "`Deployment/api` cannot start: no."),
        ("ask @all now", "ask `@all` now"),
        ("#1 !2 &3 done", "`#1 !2 &3` done"),
        ("see http://e.vil, please", "see `http://e.vil`, please"),
        ("commit deadbeef123", "commit `deadbeef123`"),
        ("1. no list", "`1`. no list"),
        ("/close", "`/close`"),
        ("a\n/close\x1b[2J b", "a `/close` b"),
        ("the \u202eword\u200b", "the word"),
        ("a `b` c", "a `` `b` `` c"),
        ("", ""),
    ],
)
def test_a_plain_word_stays_and_what_could_mean_something_is_code(value: str, shown: str) -> None:
    assert text(value, 100) == shown


def test_what_is_too_long_is_cut_and_says_so() -> None:
    assert text("z" * 30, 10) == "z" * 10 + " `[+20 characters]`"
    assert code("z" * 30, 10) == f"`{'z' * 10} [+20 characters]`"
    assert fenced(["z" * 600]) == f"```text\n{'z' * 500} [+100 characters]\n```"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("api", "`api`"),
        ("a | b", "`a` &#124; `b`"),
        ("||", "&#124;&#124;"),
        ("``x`", "``` ``x` ```"),
        ("\u200b", ""),
        ("a\nb", "`a b`"),
    ],
)
def test_code_shows_the_value_as_it_is(value: str, shown: str) -> None:
    assert code(value, 100) == shown


@given(STRINGS)
def test_text_and_code_are_harmless_inside_a_paragraph(value: str) -> None:
    for shown in (text(value, 500), code(value, 500)):
        assert "\n" not in shown
        assert harm(f"word {shown} word") == []
        assert harm(shown) == []


@given(STRINGS)
def test_text_keeps_every_character_that_can_be_seen(value: str) -> None:
    def letters(shown: str) -> str:
        return "".join(c for c in shown if c.isalnum() or c in "@#/<|")

    children = inline(f"x {text(value, 500)}")
    shown = "".join(t.content for t in children)
    plain = code(value, 500)
    assert letters(shown[1:]) == letters("".join(t.content for t in inline(f"x {plain}"))[1:])


@given(st.lists(STRINGS, max_size=8))
def test_no_line_closes_the_block_that_it_stands_in(lines: list[str]) -> None:
    note = details("The log", fenced(lines))
    assert harm(note) == []
    assert [t.type for t in tokens(note)] == ["html_block", "fence", "html_block"]


def test_a_line_like_a_quick_action_is_moved_to_the_right() -> None:
    shown = fenced(["/close", "  /merge", "```", "````", "ok /close", "<b>"])
    body = ["│ /close", "│   /merge", "│ ```", "│ ````", "ok /close", "<b>"]
    assert shown.split("\n") == ["`````text", *body, "`````"]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://a.b/c?d=e&f=g#h", "https://a.b/c?d=e&f=g#h"),
        ("http://localhost:8080/", "http://localhost:8080/"),
        ("https://a.b/x)[y](z", "https://a.b/x%29%5By%5D%28z"),
        ("https://a.b/<i>|`\\", "https://a.b/%3Ci%3E%7C%60%5C"),
        ("https://a.b/&copy;", "https://a.b/&copy;"),
        ("https://a.b/100%", "https://a.b/100%25"),
        ("https://a.b/ü", "https://a.b/%C3%BC"),
    ],
)
def test_a_web_address_is_a_link(url: str, address: str) -> None:
    assert links(link("open", url)) == [address]


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "javascript:alert(1)", "data:text/html,x", "//e.vil", "/relative", "ftp://a.b/"),
        *(
            "https://good@e.vil/",
            "https://a.b/ c",
            "https://a.b/\n/close",
            "https://[::1",
            "https://",
        ),
        *("https://\u202ea.b/", "https://a.b/" + "x" * 2000, "https://bücher.example/"),
    ],
)
def test_anything_else_is_only_its_label(url: str) -> None:
    assert link("open", url) == "open"


@given(STRINGS, STRINGS)
def test_a_link_goes_to_one_place_or_nowhere(label: str, rest: str) -> None:
    shown = link(label, f"https://a.b/{rest}")
    assert harm(f"word {shown} word") == []
    assert all(href.startswith("https://a.b/") for href in links(shown))


@given(STRINGS)
def test_a_summary_holds_plain_words_only(summary: str) -> None:
    assert harm(details(summary, "word")) == []


@given(st.lists(st.tuples(STRINGS, STRINGS), max_size=4))
def test_a_row_stays_one_row_of_its_table(rows: list[tuple[str, str]]) -> None:
    note = table(("one", ">two"), [(code(a, 99), text(b, 99)) for a, b in rows])
    assert harm(note) == []
    assert sum(t.type == "tr_open" for t in tokens(note)) == len(rows) + 1
    assert texts(note)[:2] == ["one", "two"]


@pytest.mark.parametrize("hidden", ["\u2065", "\U000e0fff", "\ue000", "\u200b", "\u3164"])
def test_a_line_of_a_log_hides_nothing(hidden: str) -> None:
    """Some code points that are not assigned yet show nothing, by Unicode's own rule."""
    assert fenced([f"a{hidden}b"]) == "```text\nab\n```"


@pytest.mark.parametrize("word", ["deadbee", "abcdefabcdef", "FACADEDEAD"])
def test_what_could_be_a_commit_is_code(word: str) -> None:
    assert text(f"see {word} now", 99) == f"see `{word}` now"
