"""Output that a runner of Actions takes for text, whatever a pod's log or an event has put into it.

A runner of GitHub reads commands out of what a step prints: ``::name …::value`` at the begin of a
line, spaces before it or not, and ``##[name …]value`` anywhere in one. So a log that is shown could
set outputs of the step, mask words, or change what the job's log says; others read the first form.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

_AT_BEGIN = re.compile(r"^(\s*:):", re.MULTILINE)


def inert(text: str) -> str:
    """``text`` in which a runner of Actions finds no command; it reads the same to a person."""
    return _AT_BEGIN.sub(r"\1 :", text).replace("##[", "# #[")


def inert_json(text: str) -> str:
    """The same of a JSON document, whose values stay what they are."""
    return text.replace("##[", "#\\u0023[")


class _Inert:
    """A stream that writes only what is inert; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write; the length of what was asked for, as a file says."""
        self._stream.write(inert(text))
        return len(text)


def harmless(stream: TextIO, environ: Mapping[str, str]) -> TextIO:
    """``stream``; in a job of Actions, one that writes no commands. Gitea says so by that name."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return stream
    return cast("TextIO", _Inert(stream))
