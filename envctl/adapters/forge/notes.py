"""The one note of a merge request: which of many it is, and whether it must be written."""

from __future__ import annotations

from typing import Any

#: Notes that are looked through before giving up; a merge request has a few dozen.
MOST = 10_000
PAGE = 100


def carries(note: dict[str, Any], marker: str) -> bool:
    """Whether a note begins with the marker: a reply that quotes it does not."""
    body = note.get("body")
    return isinstance(body, str) and not note.get("system") and body.lstrip().startswith(marker)


def same(note: dict[str, Any], body: str) -> bool:
    """Whether the note says it already; forges change line ends and trim."""
    return _plain(str(note.get("body"))) == _plain(body)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
