"""What pods say, interleaved as it comes: the result of ``logs``, on stdout.

    with open_logs(mode, context, stdout, environ) as show:
        async for line in ...: show(line)        # a LogLine

In text each component has a colour and its name before the line; ``-o json`` is one document,
``{"lines": [{"component", "pod", "container", "time", "line"}]}``, written line by line, since a
log that is followed has no end.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from envctl.output.inert import inert_json
from envctl.output.lines import Span
from envctl.output.options import Mode
from envctl.output.paint import PALETTE, paint, wants_colour
from envctl.output.streams import is_terminal
from envctl.output.symbols import symbols_for
from envctl.output.text import cells, clean, pad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envctl.model.events import LogLine
    from envctl.output.context import RunContext

#: Log lines are the very thing that was asked for; only what no terminal can take is cut.
MAX_LINE = 16 * 1024


class _Text:
    """Lines with the component's name in its colour; the column grows with the names."""

    def __init__(self, stdout: TextIO, environ: Mapping[str, str]) -> None:
        self._colour = wants_colour(stdout, environ)
        self._bar = symbols_for(stdout, environ).bar
        self._styles: dict[str, str] = {}
        self._width = 0

    def __call__(self, entry: LogLine) -> str:
        who = clean(entry.component or entry.pod, limit=40)
        style = self._styles.setdefault(who, PALETTE[len(self._styles) % len(PALETTE)])
        self._width = max(self._width, cells(who))
        head = Span(f"{pad(who, self._width)} {self._bar} ", style)
        return paint((head, Span(clean(entry.line, limit=MAX_LINE))), colour=self._colour) + "\n"


class _Json:
    """The elements of one document, separated; ``open_logs`` writes what is around them."""

    def __init__(self) -> None:
        self._separator = "\n"

    def __call__(self, entry: LogLine) -> str:
        data = {
            "component": entry.component,
            "pod": entry.pod,
            "container": entry.container,
            "time": entry.time,
            "line": entry.line,
        }
        text = f"{self._separator}  {inert_json(json.dumps(data, ensure_ascii=True))}"
        self._separator = ",\n"
        return text


@contextmanager
def open_logs(
    mode: Mode | None, context: RunContext, stdout: TextIO, environ: Mapping[str, str]
) -> Iterator[Callable[[LogLine], None]]:
    """A function that shows one line at once.

    Raises:
        OSError: from that function, when nobody reads stdout any more (``BrokenPipeError``): the
            end of a log that is followed.

    """
    mode = mode or (Mode.TEXT if is_terminal(stdout) else Mode.LOGFMT)
    form = _form(mode, context, stdout, environ)

    def show(entry: LogLine) -> None:
        stdout.write(form(entry))
        stdout.flush()

    if mode is not Mode.JSON:
        yield show
        return
    stdout.write('{"lines": [')
    try:
        yield show
    finally:
        stdout.write("\n]}\n")
        stdout.flush()


def _form(
    mode: Mode, context: RunContext, stdout: TextIO, environ: Mapping[str, str]
) -> Callable[[LogLine], str]:
    if mode is Mode.TEXT:
        return _Text(stdout, environ)
    if mode is Mode.JSON:
        return _Json()
    from envctl.output.logfmt import event_line

    return lambda entry: event_line(context, entry) + "\n"
