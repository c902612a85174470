"""The signs of the tree: Unicode where the terminal can show it, else ASCII."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Symbols:
    """One set of signs; each takes one cell, so that columns stay where they are."""

    good: str
    same: str
    bad: str
    stopped: str
    pending: str
    retry: str
    warning: str
    arrow: str
    dot: str
    bar: str
    tee: str
    corner: str
    ellipsis: str
    spinner: str


UNICODE = Symbols(
    good="✔",
    same="=",
    bad="✘",
    stopped="⊘",
    pending="○",
    retry="↻",
    warning="!",
    arrow="→",
    dot="·",
    bar="│",
    tee="├",
    corner="╰",
    ellipsis="…",
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
)
ASCII = Symbols(
    good="+",
    same="=",
    bad="x",
    stopped="-",
    pending=".",
    retry="~",
    warning="!",
    arrow=">",
    dot="-",
    bar="|",
    tee="|",
    corner="`",
    ellipsis="..",
    spinner="|/-\\",
)


def symbols_for(stream: TextIO, environ: Mapping[str, str]) -> Symbols:
    """The signs that ``stream`` can show; the Linux console has a font without most of ours."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "")
    simple = environ.get("TERM") in {"linux", "dumb"}
    return UNICODE if encoding.startswith("utf") and not simple else ASCII
