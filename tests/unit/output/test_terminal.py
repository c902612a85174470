from __future__ import annotations

import io

import pytest
from rich.console import Console

from envctl.model.events import LogLine, Note, StepProgress, StepStarted
from envctl.output.lines import Span
from envctl.output.plain import PlainProgress
from envctl.output.symbols import ASCII, UNICODE, symbols_for
from envctl.output.terminal import THEME, LiveTree, as_text, make_console
from tests.unit.output.samples import CONTEXT, DB, EVIL, SMOKE, Tty, run_of

TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "60", "LINES": "24"}


def live(environ: dict[str, str] | None = None) -> tuple[LiveTree, Tty]:
    stream = Tty()
    console = make_console(stream, environ or TERMINAL)
    return LiveTree(console, CONTEXT, UNICODE), stream


def test_the_tree_stays_and_the_cursor_comes_back() -> None:
    tree, stream = live()
    for event in run_of(DB, SMOKE):
        tree.emit(event)
    tree.stop()
    tree.stop()
    shown = stream.getvalue()
    assert shown.count("\x1b[?25l") == 1
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert "✔" in shown.rpartition("\x1b[2K")[2] + shown


def test_log_lines_and_notes_are_printed_above_and_are_not_markup() -> None:
    tree, stream = live({**TERMINAL, "NO_COLOR": "1"})
    tree.emit(StepStarted(SMOKE, 1, 0.0))
    tree.emit(LogLine(SMOKE, 1.0, "smoke", "pod", "main", f"[red]x[/red] {EVIL}"))
    tree.emit(Note("warning", "[/] drift", 1.0, DB))
    tree.stop()
    shown = stream.getvalue()
    assert "smoke │ [red]x[/red] abcde" in shown
    assert "! db: [/] drift" in shown
    assert "\x1b]0;" not in shown
    assert "\x1b[2J" not in shown


def test_no_color_has_no_colours() -> None:
    tree, stream = live({**TERMINAL, "NO_COLOR": "1"})
    for event in run_of(DB):
        tree.emit(event)
    tree.stop()
    assert "\x1b[32m" not in stream.getvalue()
    assert "\x1b[1;31m" not in stream.getvalue()


def test_without_events_nothing_is_drawn() -> None:
    tree, stream = live()
    tree.stop()
    assert stream.getvalue() == ""


def test_a_reader_that_went_away_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from envctl.output.options import Style
    from envctl.output.progress import open_progress

    stream = Tty()
    monkeypatch.setattr(stream, "write", _broken)
    for style in Style:
        sink = open_progress(style, CONTEXT, stream, TERMINAL)
        for event in run_of(DB):
            sink.emit(event)
        sink.stop()


def _broken(_: str) -> int:
    raise BrokenPipeError


def test_lines_are_for_rich_what_they_are_for_us() -> None:
    console = Console(
        record=True, width=60, file=io.StringIO(), theme=THEME, markup=False, highlight=False
    )
    console.print(as_text((Span("[b]", "bad"), Span(" text  "))))
    assert console.export_text() == "[b] text\n"


def test_plain_progress_says_what_starts_and_ends() -> None:
    stream = io.StringIO()
    sink = PlainProgress(stream.write, CONTEXT, ASCII, colour=False)
    for event in [*run_of(DB), StepProgress(DB, 1, 3.0, "applied")]:
        sink.emit(event)
    assert stream.getvalue() == "> db  started\n+ db  succeeded (2.0 s)\n"


@pytest.mark.parametrize(
    ("encoding", "term", "symbols"),
    [
        ("utf-8", "xterm", UNICODE),
        ("UTF8", "xterm", UNICODE),
        ("ascii", "xterm", ASCII),
        ("iso-8859-1", "xterm", ASCII),
        ("utf-8", "linux", ASCII),
        ("utf-8", "dumb", ASCII),
    ],
)
def test_symbols_are_those_the_terminal_has(encoding: str, term: str, symbols: object) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert symbols_for(stream, {"TERM": term}) is symbols
