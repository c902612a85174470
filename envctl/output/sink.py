"""The one way in: choose how a run is shown, feed it events, end it with a result or an error.

    with open_output(OutputOptions(mode=None), RunContext(env=..., project=..., verb="up")) as out:
        result = await up(..., emit=out.emit)   # or emit=out: the object itself is callable
        out.result(result)                      # UpResult, DownResult, GcResult, [EnvironmentInfo]
    ...
        out.document(data, lines)               # any other verb: its JSON, and its text
        out.verbatim(text)                      # a result that is a text: a URL, a kubeconfig
        with out.log() as show: show(line)      # a result that comes line by line
        out.error(error)                        # an EnvctlError, instead of a result or after it

Progress goes to stderr, the result to stdout. Leaving the block writes the JUnit report and the
metrics, whatever happened in it, and gives the cursor back; ``close`` may be called before (from
the handler of a second SIGINT, say) and again. Before the environment's name is known, open it with
an empty ``RunContext()`` and call ``identify`` later.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from envctl.model.events import CasesRead, Spent
from envctl.output.artifacts import check_artifacts, write_artifacts
from envctl.output.context import RunContext
from envctl.output.inert import harmless
from envctl.output.options import OutputOptions, progress_style, result_mode
from envctl.output.progress import open_progress
from envctl.output.recorder import Recorder
from envctl.output.results import Results
from envctl.output.streams import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from envctl.errors import EnvctlError
    from envctl.model.environment import EnvironmentInfo
    from envctl.model.events import Event, LogLine
    from envctl.model.gcresult import GcResult
    from envctl.model.result import DownResult, UpResult
    from envctl.output.lines import Lines
    from envctl.output.symbols import Symbols


class Output:
    """A run's output, from its first event to its artifacts; ``open_output`` makes it."""

    def __init__(
        self,
        options: OutputOptions,
        context: RunContext,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
    ) -> None:
        style = progress_style(options, stdout, stderr, environ)
        self._options = options
        self._environ = environ
        self._begin = time.monotonic()
        self._closed = False
        self._progress = open_progress(style, context, stderr, environ)
        self._results = Results(result_mode(options, stdout), style, stdout, stderr, environ)
        self.context = context
        self.mode = self._results.mode
        self.recorder = Recorder()

    def identify(self, context: RunContext) -> None:
        """From here on the run is known by ``context``: its environment has a name now."""
        self.context = context
        self._progress.context = context

    def emit(self, event: Event) -> None:
        """Show an event of the run, and keep what its artifacts need."""
        self.recorder.emit(event)
        if not isinstance(event, Spent | CasesRead):  # for the artifacts alone
            self._progress.emit(event)

    __call__ = emit

    @property
    def width(self) -> int | None:
        """How many cells a line of the result may take; nothing where stdout is no terminal."""
        return self._results.width

    @property
    def symbols(self) -> Symbols:
        """The signs that stdout can show."""
        return self._results.symbols

    def result(self, result: UpResult | DownResult | GcResult | Sequence[EnvironmentInfo]) -> None:
        """End with a result that this package knows how to show."""
        self._progress.stop()
        self.recorder.remember(result)
        self._results.result(self.context, result, self._elapsed)
        if self._options.timings:
            self._results.timings(self.context, self.recorder)

    def document(self, data: Any, lines: Lines | None = None) -> None:
        """End with the public JSON of a verb, and the lines that say the same in text mode."""
        self._progress.stop()
        self._results.document(self.context, data, lines, self._elapsed)

    def verbatim(self, text: str) -> None:
        """End with a text that is a result by itself, in whatever mode: what a script captures."""
        self._progress.stop()
        self._results.verbatim(text)

    @contextmanager
    def log(self) -> Iterator[Callable[[LogLine], None]]:
        """Show log lines on stdout as they come, instead of a result."""
        self._progress.stop()
        with self._results.log(self.context) as show:
            yield show

    def error(self, error: EnvctlError) -> None:
        """Say what went wrong, why, and what to do; a diagnosis that was shown is not repeated."""
        self._progress.stop()
        self.recorder.error = error
        self._results.error(self.context, error, self._elapsed)

    def close(self) -> None:
        """Give the terminal back, write the artifacts; does nothing the second time."""
        if self._closed:
            return
        self._closed = True
        self._progress.stop()
        for warning in write_artifacts(self._options, self.recorder, self.context, self._environ):
            self._results.warn(self.context, warning, self._elapsed)

    @property
    def _elapsed(self) -> float:
        """Seconds into the run: the events' own count, or the clock where there were none."""
        return self.recorder.elapsed or time.monotonic() - self._begin


@contextmanager
def open_output(
    options: OutputOptions,
    context: RunContext | None = None,
    *,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Output]:
    """An ``Output`` for the block; see the module's text for how to use it.

    Raises:
        ConfigError: an artifact's path cannot be written; nothing was touched.

    """
    check_artifacts(options)
    known = os.environ if environ is None else environ
    output = Output(
        options,
        context or RunContext(),
        harmless(printable(stdout or sys.stdout), known),
        harmless(printable(stderr or sys.stderr), known),
        known,
    )
    try:
        yield output
    finally:
        output.close()
