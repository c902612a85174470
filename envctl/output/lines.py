"""Lines of styled text, without a library: what is drawn stays pure, and rich stays unloaded.

A style is a word of ours (``good``, ``bad``, ``dim`` …); ``terminal.py`` says which colour it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style; the empty style is the terminal's own."""

    text: str
    style: str = ""


Line: TypeAlias = tuple[Span, ...]
Lines: TypeAlias = list[Line]


def line(text: str = "", style: str = "") -> Line:
    """A line in one style."""
    return (Span(text, style),)


def plain(spans: Line) -> str:
    """The line's text alone, without spaces at its end."""
    return "".join(span.text for span in spans).rstrip()


def plain_text(lines: Lines) -> str:
    """All lines as text, each ended by a newline."""
    return "".join(f"{plain(spans)}\n" for spans in lines)
