"""Progress as single lines of text, where no picture can be drawn: ``TERM=dumb``, a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.events import LogLine, Note, StepFinished, StepRetried, StepStarted
from envctl.output.lines import Line, Span
from envctl.output.paint import paint
from envctl.output.text import clean, duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.model.events import Event
    from envctl.output.context import RunContext
    from envctl.output.symbols import Symbols

_NOTES = {"error": ("bad", "bad"), "warning": ("warning", "warn")}


class PlainProgress:
    """A line when a step starts, is retried or ends, and for what a container or a note says."""

    def __init__(
        self,
        write: Callable[[str], object],
        context: RunContext,
        symbols: Symbols,
        *,
        colour: bool,
    ) -> None:
        self.context = context
        self._write = write
        self._symbols = symbols
        self._colour = colour

    def emit(self, event: Event) -> None:
        """Write the event's line, if it is worth one."""
        said = said_line(event, self._symbols) or step_line(event, self._symbols)
        if said is not None:
            self._write(paint(said, colour=self._colour) + "\n")

    def stop(self) -> None:
        """Nothing was drawn that would have to be finished."""


def said_line(event: Event, symbols: Symbols) -> Line | None:
    """What a container said, and notes: in a tree, these are printed above it."""
    if isinstance(event, LogLine):
        who = clean(event.component or event.pod, limit=40)
        return (Span(f"{who} {symbols.bar} ", "accent"), Span(clean(event.line)))
    if isinstance(event, Note) and event.level != "debug":
        sign, style = _NOTES.get(event.level, ("dot", "dim"))
        about = f"{clean(event.step.component or event.step.name)}: " if event.step else ""
        return (Span(f"{getattr(symbols, sign)} ", style), Span(about + clean(event.message)))
    if isinstance(event, StepRetried) and event.step is None:
        return (Span(f"{symbols.retry} ", "warn"), Span(f"trying again: {clean(event.why)}"))
    return None


def step_line(event: Event, symbols: Symbols) -> Line | None:
    """The line of a step that started, is retried or ended; nothing for what lies between."""
    match event:
        case StepStarted(attempt=1):
            return _line(symbols.arrow, "accent", event.step.name, "started")
        case StepRetried(step=step) if step is not None:
            why = f"again in {duration(event.delay)}: {clean(event.why)}"
            return _line(symbols.retry, "warn", step.name, why)
        case StepFinished():
            said = event.failure.verdict if event.failure else event.message
            text = f"{event.outcome} ({duration(event.seconds)})"
            text = f"{text}: {clean(said)}" if said else text
            good = event.outcome.good
            sign = symbols.good if good else symbols.bad
            return _line(sign, "good" if good else "bad", event.step.name, text)
        case _:
            return None


def _line(sign: str, style: str, name: str, text: str) -> Line:
    return (Span(f"{sign} ", style), Span(clean(name), "name"), Span(f"  {text}"))
