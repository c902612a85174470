"""Which lines of a log tell most: those around the last that names an error, else the last ones.

A crash is often followed by noise: a stack of forty frames, the farewells of other threads, a
shutdown hook that logs every connection it closes. The last lines alone then show none of why.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What only a program that gives up says: the head of a trace, or the exception that ends it.
_STRONG = re.compile(
    r"^panic:|^fatal error:|^Traceback \(most recent|^Caused by: |^Exception in thread|"
    r"\b[A-Za-z_.]{1,80}(?:Error|Exception): |\bUnhandled\b|\bFATAL\b|\bCRITICAL\b|\bPANIC\b|"
    r"""\blevel["']?[=:]\s*["']?(?:fatal|panic|critical)""",
)
#: What may be said by a program that goes on all the same.
_WEAK = re.compile(
    r"error|fatal|panic|exception|traceback|fail(?:ed|ure)|cannot|could not|refused|denied|"
    r"not found|no such|abort|segmentation",
    re.IGNORECASE,
)


def culminates(lines: Sequence[str]) -> int:
    """The index of the line that tells most, or of the last one where none tells anything."""
    for pattern in (_STRONG, _WEAK):
        for index in range(len(lines) - 1, -1, -1):
            if pattern.search(lines[index]):
                return index
    return len(lines) - 1


def telling(lines: Sequence[str], most: int) -> tuple[str, ...]:
    """At most ``most`` lines in a row, oldest first, the one that tells most among them.

    They are the last ones, if that line is one of those; else it stands in their middle.
    """
    if most <= 0:
        return ()
    last = max(0, len(lines) - most)
    begin = min(last, max(0, culminates(lines) - most // 2))
    if culminates(lines) >= last:
        begin = last
    return tuple(lines[begin : begin + most])
