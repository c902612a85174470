"""The live tree on a terminal. Only this module imports rich, and only when a tree is drawn."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from rich.theme import Theme

from envctl.output.paint import STYLES
from envctl.output.plain import said_line
from envctl.output.state import RunState, reduce
from envctl.output.tree import View, tree_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.model.events import Event
    from envctl.output.context import RunContext
    from envctl.output.lines import Line, Lines
    from envctl.output.symbols import Symbols

THEME = Theme({name: colour.rich for name, colour in STYLES.items()})
REFRESH_PER_SECOND = 8
#: A tree narrower than this says nothing; a terminal that claims less is drawn on as if it had it.
MIN_WIDTH = 40
#: And on a wider one than this the eye would lose the line between a name and its time.
MAX_WIDTH = 96


def make_console(stream: TextIO, environ: Mapping[str, str], width: int | None = None) -> Console:
    """A console on ``stream`` that knows our styles and guesses none of its own."""
    return Console(
        file=stream,
        theme=THEME,
        highlight=False,
        markup=False,
        emoji=False,
        width=width,
        _environ=dict(environ),
    )


def as_text(spans: Line) -> Text:
    """A line for rich: never parsed as markup, never wrapped."""
    text = Text(no_wrap=True, overflow="crop")
    for span in spans:
        text.append(span.text, style=span.style or None)
    text.rstrip()
    return text


def as_group(lines: Lines) -> Group:
    """Lines for rich, one below the other."""
    return Group(*(as_text(spans) for spans in lines))


class LiveTree:
    """Draws a run on a terminal while it goes on; what is left when it stops is the summary.

    A thread of rich's draws it, ``REFRESH_PER_SECOND`` times a second however many events come: an
    event only replaces the state. ``stop`` may be called twice. A terminal that goes away ends the
    picture, never the run.
    """

    def __init__(self, console: Console, context: RunContext, symbols: Symbols) -> None:
        self.context = context
        self._console = console
        self._symbols = symbols
        self._state = RunState()
        self._begin = time.monotonic()
        self._ended = 0.0
        self._final = False
        self._live: Live | None = None

    def emit(self, event: Event) -> None:
        """Take an event in; the picture follows with its next refresh."""
        self._state = reduce(self._state, event)
        self._begin = time.monotonic() - self._state.elapsed
        said = said_line(event, self._symbols)
        if said is not None:
            self._console.print(as_text(said), soft_wrap=True)
        if self._live is None and self._state.rows and not self._final:
            self._start()

    def stop(self) -> None:
        """Draw the last picture and give the cursor back."""
        if self._final:
            return
        self._final = True
        self._ended = time.monotonic() - self._begin
        if self._live is not None:
            self._live.stop()

    def _start(self) -> None:
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=REFRESH_PER_SECOND,
            redirect_stdout=False,
            vertical_overflow="crop",
        )
        self._live.start(refresh=True)

    def _render(self) -> Group:
        return as_group(tree_lines(self._state, self._view()))

    def _view(self) -> View:
        size = self._console.size
        return View(
            width=min(max(size.width, MIN_WIDTH), MAX_WIDTH),
            height=size.height - 1,
            now=self._ended or time.monotonic() - self._begin,
            symbols=self._symbols,
            title=self.context.title,
            verb=self.context.verb,
            final=self._final,
        )
