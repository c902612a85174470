"""What programs print and people write, on its way to a screen, a job's log, a report, a note."""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from envctl.adapters import lines
from envctl.model import markdown, note
from envctl.model.environment import EnvironmentInfo, Phase
from envctl.model.events import LogLine, Note
from envctl.model.failure import Culprit, Failure
from envctl.model.logs import Stream, split
from envctl.model.result import CheckResult, ComponentResult, UpResult
from envctl.model.words import MAX_VALUE, clean
from envctl.output.context import RunContext
from envctl.output.failure import failure_screen
from envctl.output.junit import junit_xml
from envctl.output.lines import plain_text
from envctl.output.logfmt import event_line, logfmt_line
from envctl.output.recorder import Recorder
from envctl.output.sections import unforgeable
from envctl.output.symbols import UNICODE
from tests.fuzz.reader import Reader
from tests.unit.output.samples import run_of, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONTEXT = RunContext("it", "shop", "8f3a2c11", "4711", "up", started=1_800_000_000.0)
_NOT_SHOWN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_MARKER = re.compile(r"section_(start|end):")


async def _read(pieces: list[bytes]) -> list[str]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [line async for line in lines.bounded(chunks())]


def log_lines(data: bytes) -> None:
    """However a log is cut into pieces, its lines are the same, and none is longer than may be."""
    reader = Reader(data)
    size, times = reader.below(16) + 1, reader.choose((1, 1, 1, 5000))
    whole = reader.rest() * times
    step_ = max(size, len(whole) // 40)
    pieces = [whole[i : i + step_] for i in range(0, len(whole), step_)]
    found = asyncio.run(_read(pieces))
    assert all("\n" not in line and len(line) <= lines.MAX_LINE + 40 for line in found)
    if all(len(line) <= lines.MAX_LINE for line in whole.split(b"\n")):
        expected = whole.decode("utf-8", "replace").split("\n")
        assert [line.encode() for line in found] == [
            line.encode() for line in (expected if expected[-1] else expected[:-1])
        ]
    for line in found[:50]:
        time, said = split(line)
        event = Stream("web", "web-1", "web").said(said, time, 1.0)
        _one_line(event_line(CONTEXT, event))


def cleaned(data: bytes) -> None:
    """What ``clean`` lets through can neither move a cursor nor hide what stands beside it."""
    reader = Reader(data)
    text = reader.text() + reader.rest().decode("utf-8", "surrogateescape")
    found = clean(text)
    assert len(found) <= MAX_VALUE + 40
    assert not _NOT_SHOWN.search(found)
    assert "\n" not in found
    assert clean(found) == found or len(found) > MAX_VALUE
    found.encode()


def log_format(data: bytes) -> None:
    """A logfmt line is one line with its context, whatever message and fields say."""
    reader = Reader(data)
    fields = {reader.text(): reader.json(1) for _ in range(reader.below(4))}
    message = reader.text() + reader.rest().decode("utf-8", "surrogateescape")
    line = logfmt_line(CONTEXT, "info", message, fields, elapsed=1.0)
    _one_line(line)
    _one_line(unforgeable(line))
    assert not _MARKER.search(unforgeable(line))
    note_ = Note("warning", message, 1.0, fields={"a": message})
    _one_line(event_line(CONTEXT, note_))


def _one_line(line: str) -> None:
    assert line.startswith("ts=")
    assert line.count(" env=it project=shop run=8f3a2c11 ") >= 1
    assert "\n" not in line
    assert not _NOT_SHOWN.search(line), line
    line.encode()


def _failure(reader: Reader) -> Failure:
    texts = tuple(reader.text() for _ in range(reader.below(4)))
    culprits = tuple(
        Culprit(reader.text(), reader.text(), reader.text(), reader.text(), reader.text(), texts,
                texts, reader.text())
        for _ in range(reader.below(5))
    )  # fmt: skip
    return Failure(reader.text(), culprits, reader.text(), reader.below(3))


def screens(data: bytes) -> None:
    """The screen of a failure and its JUnit report, whatever it quotes."""
    reader = Reader(data)
    failure = _failure(reader)
    width, height = 20 + reader.below(200), 5 + reader.below(60)
    shown = plain_text(failure_screen(failure, width, height, UNICODE))
    assert not _NOT_SHOWN.search(shown)
    recorder = Recorder()
    one = step(reader.text() or "a", "b")
    for event in run_of(one, failing=failure):
        recorder.emit(event)
    recorder.emit(LogLine(one, 1.0, reader.text(), reader.text(), reader.text(), reader.text()))
    ET.fromstring(junit_xml(recorder, CONTEXT))
    json.dumps(failure.as_json()).encode()


def notes(data: bytes) -> None:
    """The note on a merge request: bounded, and begun by its marker."""
    reader = Reader(data)
    info = EnvironmentInfo(*(reader.text() for _ in range(3)), Phase.READY, url=reader.text())
    checks = tuple(
        CheckResult(reader.text(), reader.text(), 1.0, ((reader.text(), 1.0),))
        for _ in range(reader.below(4))
    )
    components = (ComponentResult(reader.text(), reader.text(), reader.text(), True, 1.0),)
    result = UpResult(info, "failed", components, checks, _failure(reader), 1, 1.0)
    text = note.after_up(result, note.NoteContext(_now(), job_url=reader.text()))
    assert len(text) <= note.MAX_NOTE
    assert text.startswith("<!-- envctl:")
    assert text.count("<!--") == 1
    assert not _NOT_SHOWN.search(text)


def markdown_text(data: bytes) -> None:
    """A word that could mean something to a forge stands in a code span, and nowhere else."""
    reader = Reader(data)
    text = reader.text() + reader.rest().decode("utf-8", "replace")
    shown = markdown.text(text, 500)
    assert "\n" not in shown
    outside = re.sub(_CODE, "", shown).replace("&#124;", "")
    assert not set("@<>#!\\[]*_~&|`") & set(outside), (text, shown)
    assert all(unicodedata.category(c) not in ("Cc", "Cf") for c in shown)
    link = markdown.link(text, text)
    assert "\n" not in link
    assert "](javascript" not in re.sub(_CODE, "", link)
    block = markdown.fenced([text, *reader.text().split("\n")])
    fence = block.split("text", 1)[0]
    assert block.count(fence) == 2


def _now() -> Any:
    import datetime as dt

    return dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


_TEXTS = (
    b"\x00\x1b[2J\x1b]0;t\x07",
    "\u202egnp.exe\u2028".encode(),
    b"a\r\nb",
    b"ask @all",
    b"section_start:1:x\r\x1b[0K",
    b"::set-output name=a::b",
    b"![a](b)<b>",
    b"a\xff\x9b1A",
)
TARGETS = {
    "log lines": (log_lines, (b"\x03\x00a\nb\r\n\xff\n", b"\x01\x03x", b"\x00\x002024-99-99T1 a")),
    "escapes": (cleaned, _TEXTS),
    "logfmt": (log_format, (*_TEXTS, bytes(range(60)))),
    "screens": (screens, (b"", bytes(range(120)))),
    "notes": (notes, (b"", bytes(range(120)))),
    "markdown": (markdown_text, _TEXTS),
}  # fmt: skip
