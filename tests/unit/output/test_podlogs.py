from __future__ import annotations

import io
import json

from envctl.model.events import LogLine
from envctl.output.options import Mode
from envctl.output.podlogs import open_logs
from tests.unit.output.samples import CONTEXT, EVIL, Tty

LINES = [
    LogLine(None, 1.0, "api", "api-1", "main", "hello"),
    LogLine(None, 1.5, "worker", "worker-1", "main", EVIL),
    LogLine(None, 2.0, "api", "api-2", "main", "again"),
]


def shown(mode: Mode | None, stdout: io.StringIO, lines: list[LogLine] | None = None) -> str:
    with open_logs(mode, CONTEXT, stdout, {"TERM": "xterm"}) as show:
        for line in LINES if lines is None else lines:
            show(line)
    return stdout.getvalue()


def test_components_have_colours_of_their_own() -> None:
    text = shown(None, Tty()).splitlines()
    assert text[0] == "\x1b[36mapi │ \x1b[0mhello"
    assert text[1].startswith("\x1b[35mworker │ \x1b[0mabcde")
    assert text[2].startswith("\x1b[36mapi    │ \x1b[0m")


def test_json_is_one_document_however_many_lines() -> None:
    for lines in (LINES, LINES[:1], []):
        found = json.loads(shown(Mode.JSON, io.StringIO(), lines))["lines"]
        assert [line["line"] for line in found] == [line.line for line in lines]


def test_without_a_terminal_lines_are_logfmt() -> None:
    text = shown(None, io.StringIO()).splitlines()
    assert len(text) == 3
    assert "component=api pod=api-1" in text[0]


def test_a_line_is_shown_at_once_even_into_a_pipe() -> None:
    arrived = io.BytesIO()
    buffered = io.TextIOWrapper(io.BufferedWriter(_Raw(arrived)), encoding="utf-8")
    with open_logs(Mode.LOGFMT, CONTEXT, buffered, {}) as show:
        show(LINES[0])
        assert b"hello" in arrived.getvalue(), "whoever follows a log waits for each line"


class _Raw(io.RawIOBase):
    """A pipe's end: what arrives here has left every buffer."""

    def __init__(self, arrived: io.BytesIO) -> None:
        self._arrived = arrived

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._arrived.write(bytes(data))
