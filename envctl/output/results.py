"""The end of a run on stdout, and its failure on stderr, in the mode that was asked for."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

from envctl.model.gcresult import GcResult
from envctl.model.result import DownResult, UpResult
from envctl.output.complaint import error_logfmt, failure_logfmt
from envctl.output.document import brief, error_document, to_json, to_logfmt
from envctl.output.failure import MAX_HEIGHT, error_screen, failure_screen
from envctl.output.lines import Lines, Span
from envctl.output.options import Mode, Style
from envctl.output.paint import PAGE_WIDTH, paint_all, screen_size, wants_colour
from envctl.output.streams import Progress, is_terminal, write_result
from envctl.output.symbols import symbols_for
from envctl.output.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from envctl.errors import EnvctlError
    from envctl.model.environment import EnvironmentInfo
    from envctl.model.events import LogLine
    from envctl.model.failure import Failure
    from envctl.output.context import RunContext
    from envctl.output.recorder import Recorder


class Results:
    """Writes what a run ends with. With ``-o json`` stdout gets exactly one document, always."""

    def __init__(
        self, mode: Mode, style: Style, stdout: TextIO, stderr: TextIO, environ: Mapping[str, str]
    ) -> None:
        self.mode = mode
        screen = screen_size(stdout, environ)
        self.width = screen[0] if screen else None
        self._style = style
        self._stdout = stdout
        self._stderr = Progress(stderr)
        self.symbols = symbols_for(stdout, environ)
        self._signs = symbols_for(stderr, environ)
        self._colour = wants_colour(stdout, environ)
        self._colour_errors = wants_colour(stderr, environ)
        seen = screen_size(stderr, environ)
        self._screen: tuple[int, int] = (seen[0], seen[1] - 1) if seen else (PAGE_WIDTH, MAX_HEIGHT)
        self._environ = environ
        self._on_terminal = is_terminal(stdout)
        self._ended = False
        self._shown: Failure | None = None

    def result(
        self,
        context: RunContext,
        result: UpResult | DownResult | GcResult | Sequence[EnvironmentInfo],
        elapsed: float,
    ) -> None:
        """Write a result, and its failure after it."""
        self.document(context, _document(result), self._lines(result), elapsed)
        failure = result.failure if isinstance(result, UpResult) else None
        if failure is not None:
            self._failure(context, failure, elapsed)

    def document(self, context: RunContext, data: Any, lines: Lines | None, elapsed: float) -> None:
        """Write the data in the mode asked for; text mode without lines writes JSON."""
        self._ended = True
        match self.mode:
            case Mode.LOGFMT:
                text = "".join(f"{text}\n" for text in to_logfmt(context, brief(data), elapsed))
            case Mode.TEXT if lines is not None:
                text = paint_all(lines, colour=self._colour)
            case _:
                text = to_json(data)
        write_result(self._stdout, text)

    def verbatim(self, text: str) -> None:
        """Write a text that is a result by itself."""
        self._ended = True
        write_result(self._stdout, text)

    @contextmanager
    def log(self, context: RunContext) -> Iterator[Callable[[LogLine], None]]:
        """Write log lines as they come; after the first there is no other result."""
        from envctl.output.podlogs import open_logs

        self._ended = True
        with open_logs(self.mode, context, self._stdout, self._environ) as show:
            yield show

    def error(self, context: RunContext, error: EnvctlError, elapsed: float) -> None:
        """Write an error; with ``-o json`` it is the document, if there was none before."""
        if self.mode is Mode.JSON and not self._ended:
            self.document(context, error_document(error), None, elapsed)
        if error.failure is not None and _same(error.failure, self._shown):
            return
        self._shown = error.failure
        if self._speaks_text:
            self._say(error_screen(error, *self._screen, self._signs))
        else:
            self._log(error_logfmt(context, error, elapsed))

    def warn(self, context: RunContext, warning: str, elapsed: float) -> None:
        """Write one sentence about something that went wrong beside the run."""
        if self._speaks_text:
            self._say([(Span(f"{self._signs.warning} ", "warn"), Span(clean(warning)))])
            return
        from envctl.output.logfmt import logfmt_line

        self._log([logfmt_line(context, "warning", warning, elapsed=elapsed)])

    def timings(self, context: RunContext, recorder: Recorder) -> None:
        """Say where the time went."""
        from envctl.output.timings import timing_lines, timing_logfmt

        if self._speaks_text:
            self._say(timing_lines(recorder, self._signs, self._screen[0]))
        else:
            self._log(timing_logfmt(context, recorder))

    @property
    def _speaks_text(self) -> bool:
        return self._style in {Style.TREE, Style.PLAIN}

    def _failure(self, context: RunContext, failure: Failure, elapsed: float) -> None:
        self._shown = failure
        if self._speaks_text:
            self._say(failure_screen(failure, *self._screen, self._signs))
        else:
            self._log(failure_logfmt(context, failure, elapsed))

    def _say(self, lines: Lines) -> None:
        self._stderr.write(paint_all(lines, colour=self._colour_errors))

    def _log(self, lines: list[str]) -> None:
        self._stderr.write("".join(f"{text}\n" for text in lines))

    def _lines(
        self, result: UpResult | DownResult | GcResult | Sequence[EnvironmentInfo]
    ) -> Lines | None:
        if self.mode is not Mode.TEXT:
            return None
        from envctl.output.summary import down_lines, up_lines
        from envctl.output.tables import environment_lines

        if isinstance(result, UpResult):
            told = self._speaks_text and self._on_terminal
            width = self.width or PAGE_WIDTH
            return up_lines(result, self.symbols, width, components=not told)
        if isinstance(result, DownResult):
            return down_lines(result, self.symbols)
        if isinstance(result, GcResult):
            from envctl.output.gc import gc_lines

            return gc_lines(result, self.symbols, self.width)
        return environment_lines(result, dt.datetime.now(dt.UTC), self.width)


def _same(failure: Failure, shown: Failure | None) -> bool:
    """Whether it is the one that was shown; only a result knows who waits for it."""
    if shown is None:
        return False
    return replace(failure, dependants=shown.dependants, waiting=shown.waiting) == shown


def _document(
    result: UpResult | DownResult | GcResult | Sequence[EnvironmentInfo],
) -> dict[str, Any]:
    if isinstance(result, UpResult | DownResult | GcResult):
        return result.as_json()
    return {"environments": [info.as_json() for info in result]}
