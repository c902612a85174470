"""Markdown that says what it is told and does nothing else, on GitLab, Gitea and GitHub.

Forges look for mentions, references and commits in the HTML that Markdown became, where an escaped
or entity-encoded ``@`` is an ``@`` again; code is the one thing that all of them leave alone. So
a word that is no plain word stands in a code span, and nothing has to be known about what a forge
links today.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from envctl.model.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_URL = 2000
#: In front of a line of a block that a forge could take for a quick action or the block's end.
GUTTER = "│ "

_PLAIN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d{1,6}(?:\.\d{1,6})?")  # noqa: RUF001
_HEX = re.compile(r"(?=\D*\d)[0-9a-f]{6,}|[a-f]{7,}", re.IGNORECASE)
_LISTED = re.compile(r"\d+[.)].*")
_WORD = re.compile(r"(?P<open>\(?)(?P<core>.*?)(?P<close>[).,:;]*)")
_TICKS = re.compile("`+")
_GUTTERED = re.compile(r"\s*[/`~]")
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?")
_UNQUOTED = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: Letters and marks that show nothing: Hangul fillers, Khmer vowels, the blank Braille pattern.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]")


@lru_cache(maxsize=4096)  # a note that is too long is written again, shorter
def _seen(value: str, limit: int) -> str:
    """``value`` on one line, of characters that can be seen."""
    return " ".join(_visible(clean(value, limit=limit)).split())


def _visible(cleaned: str) -> str:
    """Without what shows nothing; among what is not assigned, some shows nothing by default."""
    seen = _BLANK.sub("", cleaned)
    return "".join(c for c in seen if unicodedata.category(c) not in {"Cf", "Cn", "Co"})


def text(value: str, limit: int) -> str:
    """``value`` as inline text on one line; words that could mean something to a forge are code."""
    done: list[str] = []
    risky: list[str] = []
    for word in _seen(value, limit).split(" "):
        begins_list = not (done or risky) and _LISTED.fullmatch(word)
        if _plain(word) and not begins_list:
            done += [*_span(risky), word]
            risky = []
        else:
            risky.append(word)
    return " ".join([*done, *_span(risky)])


def code(value: str, limit: int) -> str:
    """``value`` as an inline code span on one line; empty for what shows nothing.

    A ``|`` stands between two spans, as an entity: parsers differ in how a table's cell may hold
    one in code.
    """
    return "&#124;".join(_ticked(piece) for piece in _seen(value, limit).split("|"))


def fenced(lines: Iterable[str], limit: int = 500) -> str:
    """``lines`` as a block of code that none of them can close; each cut to ``limit`` characters.

    Older releases of GitLab find quick actions by patterns that do not see a fence of more than
    three backticks, so no line begins with ``/`` or a fence, even inside the block.
    """
    shown = [_line(line, limit) for line in lines]
    fence = _fence("\n".join(shown), least=3)
    return "\n".join([f"{fence}text", *shown, fence])


def link(label: str, url: str) -> str:
    """A link to ``url`` if it is plainly a web address, else the label alone."""
    shown = text(label, 200) or "link"
    address = _address(url)
    return f"[{shown}]({address})" if address else shown


def details(summary: str, body: str) -> str:
    """``body``, Markdown made by this module, folded under ``summary``.

    Forges look for mentions in a summary and Markdown is not read there, so its words are plain.
    """
    words = " ".join(word if _plain(word) else "…" for word in _seen(summary, 200).split(" "))
    return f"<details><summary>{words}</summary>\n\n{body}\n\n</details>"


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of cells that are Markdown made by this module; ``>`` before a head: to the right."""
    rule = ["---:" if head.startswith(">") else "---" for head in heads]
    lines = [tuple(head.removeprefix(">") for head in heads), tuple(rule), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _plain(word: str) -> bool:
    """Whether a word is letters or a number, with ordinary punctuation around it."""
    parts = _WORD.fullmatch(word)
    if parts is None:
        return False
    return bool(_PLAIN.fullmatch(parts["core"])) and not _HEX.fullmatch(parts["core"])


def _span(words: list[str]) -> list[str]:
    """Risky words as one span; the punctuation after the last one stays outside."""
    if not words or not any(words):
        return []
    joined = " ".join(words)
    core = joined.rstrip(".,:;") or joined
    return [code(core, len(core)) + joined[len(core) :]]


def _ticked(piece: str) -> str:
    stripped = piece.strip()
    if not stripped:
        return piece
    fence = _fence(stripped, least=1)
    pad = " " if "`" in (stripped[0], stripped[-1]) else ""
    before, after = piece.startswith(" ") * " ", piece.endswith(" ") * " "
    return f"{before}{fence}{pad}{stripped}{pad}{fence}{after}"


def _fence(content: str, *, least: int) -> str:
    longest = max((len(run) for run in _TICKS.findall(content)), default=0)
    return "`" * max(least, longest + 1)


@lru_cache(maxsize=4096)
def _line(line: str, limit: int) -> str:
    seen = _visible(clean(line, limit=limit))
    return GUTTER + seen if _GUTTERED.match(seen) else seen


def _address(url: str) -> str:
    """``url`` as a link's destination; empty if it is not http or https, or tries to mislead."""
    if len(url) > MAX_URL or url != _seen(url, MAX_URL) or " " in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc):
        return ""
    rest = url.partition("://")[2][len(parts.netloc) :].replace("\\", "%5C")
    path = quote(_UNQUOTED.sub("%25", rest), safe="/?#=&%+,;:@!-._~")
    return f"{parts.scheme}://{parts.netloc}{path}".replace("&", "&amp;")
