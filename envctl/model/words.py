"""Text from the outside, without what nobody should see; and numbers in words.

Pod logs, event messages and chart names are written by whoever opened the merge request. Shown as
they are, they could move the cursor, rename the window, hide what was said before, or reverse the
reading order of a line. Everything of theirs goes through ``clean`` first.
"""

from __future__ import annotations

import re
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
