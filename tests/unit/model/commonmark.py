"""What a CommonMark parser makes of a note: an opinion on it that is not our own."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
#: The HTML that is ours: the hidden marker and the folds.
OURS = re.compile(
    r"<!-- envctl:[\w.%~-]*/[\w.%~-]* -->"
    r"|<details><summary>(?:[^\W_]|[ .,:;()'’…-])+</summary>|</details>"  # noqa: RUF001
)
#: What a forge looks for in text that is not code.
MEANS = re.compile(
    r"[@#!&~%$^]\w|[@~%]\"|\b[0-9a-f]{7,}\b|\bwww\.|://|:\w+:|[\w.]@"
    r"|(?-i:\b[A-Z][A-Z0-9_]+-\d)",
    re.IGNORECASE,
)
#: What people try, each by itself harmless to nobody.
NASTY = (
    "@all", "@group/sub", "#123", "!45", "&6", "~bug", '~"a label"', "%v1", "$7", "GH-1",
    "grp/prj#1", "8f3a2c118f3a2c11", "\n/close", "/merge", "\n\n/assign @me\n", "![x](http://e.x/p)",
    "[x](javascript:alert)", "<img src=x onerror=y>", "</summary>", "</details>", "<!--", "-->",
    "<https://e.x>", "https://e.x/?a=b", "www.e.x", "|", "\\|", "\\", "`", "``", "```", "````",
    "~~~", "\n```\n", "$$", "$`x`$", "&#64;all", "&commat;all", "\u202e", "\u200b", "\ufeff",
    "\x1b[31m", "\r", "\n", "\u2028", "\x00", "\t", "    ", "# ", "> ", "- ", "1. ", "***", "___",
    "[^1]", ":smile:", "[[wiki]]", "{{x}}", "{+a+}", "mailto:a@e.x", "a@e.x", "*", "_", "[", "]",
    "\u3164", "\u115f", "\ud800", "\U0001f600", "\u0301",
)  # fmt: skip
hostile = st.lists(st.sampled_from(NASTY) | st.text(max_size=12), max_size=6).map("".join)


def tokens(markdown: str) -> Iterator[Token]:
    """Every token, those inside of others too."""
    for token in PARSER.parse(markdown):
        yield token
        yield from token.children or ()


def text_of(markdown: str) -> list[str]:
    """The texts that are not code."""
    return [token.content for token in tokens(markdown) if token.type == "text"]


def check_harmless(markdown: str, urls: tuple[str, ...] = ()) -> None:
    """Assert that it does nothing but say something; ``urls`` are the links that it may have."""
    folds = 0
    for token in tokens(markdown):
        assert token.type != "image", token
        if token.type in {"html_block", "html_inline"}:
            html = token.content.strip()
            assert OURS.fullmatch(html), html
            folds += html.startswith("<details>") - html.startswith("</details>")
            assert folds in {0, 1}, "a fold in a fold, or one that ends before it begins"
        if token.type == "link_open":
            assert str(token.attrs["href"]) in urls
    assert folds == 0, "a fold that does not end"
    for said in text_of(markdown):
        assert not MEANS.search(said), said
    for line in re.split(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", markdown):
        assert not re.match(r"\s*/\w", line), line
    for character in markdown:
        assert character == "\n" or unicodedata.category(character)[0] != "C", hex(ord(character))
