"""The kinds of progress, and which one a run gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TextIO, cast

from envctl.model.events import RequestsCounted
from envctl.output.options import Style
from envctl.output.paint import wants_colour
from envctl.output.streams import Progress
from envctl.output.symbols import symbols_for
from envctl.output.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.model.events import Event
    from envctl.output.context import RunContext


class ProgressSink(Protocol):
    """Shows events while they come; ``stop`` finishes what was begun, before a result is shown."""

    context: RunContext

    def emit(self, event: Event) -> None:
        """Show one event."""

    def stop(self) -> None:
        """Finish; may be called twice."""


class LogfmtProgress:
    """A line an event; of a step's progress only what says something new."""

    def __init__(self, context: RunContext, stream: Progress) -> None:
        from envctl.output.logfmt import event_line

        self.context = context
        self._stream = stream
        self._shows = Throttle()
        self._line = event_line

    def emit(self, event: Event) -> None:
        """Write the event's line."""
        if not isinstance(event, RequestsCounted) and self._shows(event):
            self._stream.write(self._line(self.context, event) + "\n")

    def stop(self) -> None:
        """Every line is complete as it is."""


def open_progress(
    style: Style, context: RunContext, stderr: TextIO, environ: Mapping[str, str]
) -> ProgressSink:
    """The progress of a run in ``style``; imports only what that style needs."""
    stream, symbols = Progress(stderr), symbols_for(stderr, environ)
    match style:
        case Style.TREE:
            from envctl.output.terminal import LiveTree, make_console

            return LiveTree(make_console(cast("TextIO", stream), environ), context, symbols)
        case Style.PLAIN:
            from envctl.output.plain import PlainProgress

            return PlainProgress(
                stream.write, context, symbols, colour=wants_colour(stderr, environ)
            )
        case Style.SECTIONS:
            from envctl.output.sections import Sections

            return Sections(context, stream.write)
        case Style.LOGFMT:
            return LogfmtProgress(context, stream)
