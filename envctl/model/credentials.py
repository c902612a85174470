"""What looks like a credential in text and in names, wherever it comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = (
    r"pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential"
)
_NAME = re.compile(rf"{_WORDS}|(?:^|[_-])(?:auth|pass|pwd|dsn)$", re.IGNORECASE)
#: Fields that name or describe a credential and hold none.
_DESCRIBES = re.compile(
    r"(?:name|ref|policy|path|seconds|mode|type|provider|class)$", re.IGNORECASE
)
#: Every repetition is bounded: logs are written by whoever wants to, and a pattern that looks back
#: over a whole line for each of its characters takes seconds for one.
#: What no text may show, whatever it is called; ``secret`` is the part to remove.
CERTAIN = (
    re.compile(r"[\w+.-]{1,20}://[^\s/:@\"']{0,200}:(?P<secret>[^\s/@\"']{1,1000})(?=@)"),
    re.compile(r"\b(?:bearer|basic)\s+(?P<secret>[\w.~+/=-]{12,})", re.IGNORECASE),
    re.compile(r"(?<![\w-])(?P<secret>eyJ[\w-]{8,4000}\.[\w-]{8,4000}\.[\w-]*)"),
    re.compile(r"(?P<secret>\b(?:glpat-|glrt-|gh[pousr]_|github_pat_|xox[abp]-|AKIA)[\w-]{12,})"),
    re.compile(
        r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))",
        re.DOTALL,
    ),
)
#: A name and its value, in the way of flags, of variables, of JSON and of YAML.
ASSIGNED = re.compile(
    rf"(?:{_WORDS})[\w.-]{{0,40}}[\"']?\s{{0,4}}(?:=|:\s)\s{{0,4}}[\"']?(?P<secret>[^\s\"',;&)}}\]]{{4,}})",
    re.IGNORECASE,
)
_FLAG = re.compile(rf"--?[\w-]*(?:{_WORDS})s?", re.IGNORECASE)
_PLAIN = re.compile(r"true|false|none|null|\d{1,7}", re.IGNORECASE)


def is_credential(name: str) -> bool:
    """Whether what a variable, a field or a key of this name holds is taken for a credential."""
    return bool(_NAME.search(name)) and not _DESCRIBES.search(name)


def is_flag(argument: str) -> bool:
    """Whether the argument after this one is taken for a credential."""
    return bool(_FLAG.fullmatch(argument))


def is_plain(value: str) -> bool:
    """Whether a value is so common that hiding it everywhere would hide everything."""
    return bool(_PLAIN.fullmatch(value.strip()))


def found_in(text: str) -> Iterator[str]:
    """Every credential that a text shows by its form or by the name before it."""
    for pattern in (*CERTAIN, ASSIGNED):
        for match in pattern.finditer(text):
            yield match["secret"]
