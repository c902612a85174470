"""Reads Markdown as a forge does, and says what in it is not harmless."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

OURS = re.compile(r"<!-- envctl:[\w%./~-]* -->|</details>|<details><summary>[^<>&@]*</summary>")
#: What a forge would make a link, a mention, a reference, a label, math or a diff of.
LIVE = re.compile(r"[@#$~!/\\<>\[\]{}^*_=`\"]|[%&]\w|\w\.\w*[a-z]|\b(?=\D*\d)[0-9a-f]{7,}")
BLOCKS = {"paragraph", "heading", "bullet_list", "list_item", "table", "thead", "tbody", "tr"}
BLOCKS |= {"th", "td"}
NASTY = (
    *("@all", "foo@bar", "#123", "!123", "&1", "~bug", '~"a b"', "%1", "$5", "^alert#1", "GL-12"),
    *("[vulnerability:1]", "deadbeef123", "8f3a2c11", "[x](http://e.vil)", "![x](http://e.vil/i)"),
    *("http://e.vil", "www.e.vil", "e.vil", "a@e.vil", "<http://e.vil>", "[a]: http://e.vil"),
    *("<b>", "</details>", "-->", "</summary>", "<!--", "<script>", "&lt;", "&#64;all", "{+a+}"),
    *("`", "``", "```", "````", "~~~", "\\", "\\`", "$`", "$$", "\u200b```\n/close", "[-a-]"),
    *("/close", "\n/close", "\n\n/merge\n", "\r/close", "\t/close", "\x0b/close", "\u3164/close"),
    *("|", "\\|", "||", " | ", "\n", "\n\n", "---", "===", "# x", "> x", "- x", "1. x", "1) x"),
    *("    x", "**", "*", "_", "]", ")", "(", ":", ".", ",", " ", "word", "words and more", "a:b"),
    *("\u202e", "\u200b", "\u200d", "\u2066", "\ufeff", "\u3164", "\x1b[2J", "\x00", "\u2028"),
    *("\u0085", "\ud800"),
)
STRINGS = st.one_of(
    st.lists(st.sampled_from(NASTY), max_size=6).map("".join),
    st.lists(st.sampled_from(NASTY), max_size=6).map(" ".join),
    st.text(max_size=30),
)


def tokens(note: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(note)


def inline(note: str) -> list[Token]:
    return [child for token in tokens(note) for child in token.children or []]


def texts(note: str) -> list[str]:
    """What a forge looks at for mentions and the like: all text that is no code."""
    return [token.content for token in inline(note) if token.type == "text"]


def links(note: str) -> list[str]:
    return [str(token.attrs["href"]) for token in inline(note) if token.type == "link_open"]


def harm(note: str) -> list[str]:
    """All that is wrong with a note; links are for the caller to judge."""
    found = [f"line {line!r}" for line in note.split("\n") if re.match(r"\s*/", line)]
    hidden = {c for c in note if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"}}
    found += [f"character {c!r}" for c in hidden]
    opened = 0
    for token in tokens(note):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if token.type == "html_block":
            opened += token.content.count("<details>") - token.content.count("</details>")
            if not OURS.fullmatch(token.content.strip()) or opened not in {0, 1}:
                found.append(f"HTML {token.content!r}")
        elif token.type not in {"inline", "fence"} and kind not in BLOCKS:
            found.append(f"block {token.type} {token.content!r}")
        elif token.type == "fence" and not opened:
            found.append(f"fence outside of details {token.content!r}")
        elif token.type == "table_open" and token.map:
            rows = note.split("\n")[slice(*token.map)]
            found += [f"row {row!r}" for row in rows if row.count("|") != rows[0].count("|")]
    if opened:
        found.append("details left open")
    allowed = {"text", "code_inline", "link_open", "link_close", "strong_open", "strong_close"}
    found += [f"inline {t.type} {t.content!r}" for t in inline(note) if t.type not in allowed]
    return found + [f"text {text!r}" for text in texts(note) if LIVE.search(text)]
