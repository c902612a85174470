"""Text from the outside made fit to print: neutralised, bounded, measured in terminal cells.

Pod logs, event messages and chart names are written by whoever opened the merge request. Printed
as they are, they could move the cursor, rename the window, hide what was said before, or reverse
the reading order of a line. Everything of theirs goes through ``clean`` first.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: No value needs more to be understood; more would only bury the line that matters.
MAX_VALUE = 2000
#: Cut before any pattern runs, so that the time spent on one value is bounded too.
MAX_INPUT = 64 * 1024
#: Values up to this length are remembered, cleaned.
_SHORT = 400
DAY = 86400
HOUR = 3600
MINUTE = 60
TAB = 4

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erase
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS
    r"|\x1b[ -/]*[0-~]"  # all other sequences, and the head of one that does not end
)
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"  # direction marks, joiners without width, tags
)
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029"  # controls, and what else ends a line
    "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"  # spaces that logfmt would not quote
)
_SURROGATE = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=4096)
def _cleaned(value: str) -> str:
    """``value`` on one line; what a picture shows is cleaned again for every frame of it."""
    return _clean(value, MAX_VALUE, keep_newlines=False)


def clean(value: str, *, limit: int = MAX_VALUE, keep_newlines: bool = False) -> str:
    """``value`` without terminal escapes, control and invisible characters, at most ``limit`` long.

    Newlines become spaces unless they are kept; tabs always become spaces.
    """
    if limit == MAX_VALUE and not keep_newlines and len(value) <= _SHORT:
        return _cleaned(value)
    return _clean(value, limit, keep_newlines=keep_newlines)


def _clean(value: str, limit: int, *, keep_newlines: bool) -> str:
    short = value[:MAX_INPUT]
    short = _ESCAPES.sub("", short).replace("\r\n", "\n")
    short = _INVISIBLE.sub("", _CONTROL.sub(" ", short))
    short = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", short).expandtabs(TAB)
    if not keep_newlines:
        short = short.replace("\n", " ")
    short = short.strip("\n").rstrip()
    dropped = len(short) - limit + len(value) - min(len(value), MAX_INPUT)
    return f"{short[:limit]} [+{dropped} characters]" if dropped > 0 else short


def cells(text: str) -> int:
    """How many terminal cells ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """``text`` cut to ``width`` cells; the ellipsis says that something was cut."""
    if cells(text) <= width:
        return text
    room = width - cells(ellipsis)
    if room <= 0:
        return ellipsis[: max(width, 0)]
    kept, used = [], 0
    for character in text:
        used += _cell(character)
        if used > room:
            break
        kept.append(character)
    return "".join(kept) + ellipsis


def pad(text: str, width: int) -> str:
    """``text`` with spaces to the right, up to ``width`` cells."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """``text`` broken at spaces into lines of at most ``width`` cells; newlines are kept."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _wrap_one(paragraph, max(width, 8))
    return lines


def _wrap_one(paragraph: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in paragraph.split(" "):
        candidate = f"{line} {word}" if line else word
        if cells(candidate) <= width:
            line = candidate
            continue
        if line:
            lines.append(line)
        *full, line = _chop(word, width)
        lines += full
    return [*lines, line]


def _chop(word: str, width: int) -> list[str]:
    pieces, piece, used = [], "", 0
    for character in word:
        size = _cell(character)
        if used + size > width:
            pieces.append(piece)
            piece, used = "", 0
        piece += character
        used += size
    return [*pieces, piece]


def duration(seconds: float) -> str:
    """Seconds in words, with the precision that matters at that length: ``8.1 s``, ``3 m 05 s``."""
    if round(seconds, 1) < MINUTE:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} m {whole % MINUTE:02} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} m"
    return f"{whole // DAY} d {whole % DAY // HOUR:02} h"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, in the plural where it must be: ``1 check``, ``2 checks``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
