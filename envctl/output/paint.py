"""Our styles as terminal colours; the sixteen that every terminal has, so its theme holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from envctl.output.lines import Line, Lines, plain
from envctl.output.streams import is_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_WIDTH = 80
DEFAULT_HEIGHT = 24
#: Where nobody's screen is known, text is broken for a page, not for a terminal of 1970.
PAGE_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Colour:
    """One style: as the parameters of an SGR escape, and in the words of rich."""

    sgr: str
    rich: str


STYLES = {
    "headline": Colour("1", "bold"),
    "name": Colour("1", "bold"),
    "good": Colour("32", "green"),
    "bad": Colour("1;31", "bold red"),
    "warn": Colour("33", "yellow"),
    "dim": Colour("90", "bright_black"),
    "accent": Colour("36", "cyan"),
    "quote": Colour("", "none"),
    "link": Colour("4;36", "underline cyan"),
    "one": Colour("36", "cyan"),
    "two": Colour("35", "magenta"),
    "three": Colour("34", "blue"),
    "four": Colour("32", "green"),
    "five": Colour("33", "yellow"),
    "six": Colour("96", "bright_cyan"),
}
#: Styles to tell components apart by.
PALETTE = ("one", "two", "three", "four", "five", "six")


def is_dumb(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that it understands no escapes at all."""
    return environ.get("TERM", "").lower() in {"dumb", "unknown"}


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to colour: on a terminal that can, unless the user said ``NO_COLOR``."""
    return is_terminal(stream) and not environ.get("NO_COLOR") and not is_dumb(environ)


def paint(spans: Line, *, colour: bool) -> str:
    """A line as it is written to a stream, without its newline."""
    if not colour:
        return plain(spans)
    painted = []
    for span in spans:
        sgr = STYLES[span.style].sgr if span.style else ""
        painted.append(f"\x1b[{sgr}m{span.text}\x1b[0m" if sgr and span.text else span.text)
    return "".join(painted).rstrip()


def paint_all(lines: Lines, *, colour: bool) -> str:
    """All lines, each with its newline."""
    return "".join(f"{paint(spans, colour=colour)}\n" for spans in lines)


def screen_size(stream: TextIO, environ: Mapping[str, str]) -> tuple[int, int] | None:
    """Cells a line and lines of the screen of ``stream``; nothing where it is no terminal."""
    if not is_terminal(stream):
        return None
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        size = os.terminal_size((0, 0))
    return (
        _said(environ, "COLUMNS") or size.columns or DEFAULT_WIDTH,
        _said(environ, "LINES") or size.lines or DEFAULT_HEIGHT,
    )


def _said(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name, "")
    return int(value) if value.isdecimal() else 0
