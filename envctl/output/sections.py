"""A GitLab job log in which each component is a section that folds.

Components run at the same time and sections cannot interleave, so the lines of a step are kept
until it ends and then written as one. Meanwhile a sign of life says what is at work. A step that
failed is written unfolded. Markers end with a carriage return and an escape; no line of ours has
either, and what looks like a marker in a log is broken up too.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from envctl.model.events import StepFinished, StepProgress, StepStarted
from envctl.output.logfmt import event_line, logfmt_line
from envctl.output.text import clean, count, duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.model.events import Event
    from envctl.model.step import Step
    from envctl.output.context import RunContext

#: Lines kept of one step; the first of more are left out.
MAX_LINES = 2000
#: Seconds between two signs of life.
HEARTBEAT = 10.0
_NAME = re.compile(r"[^A-Za-z0-9]+")
_MARKER = re.compile(r"section_(start|end):")


class Sections:
    """Writes the lines of each step as one section of a GitLab job log."""

    def __init__(self, context: RunContext, write: Callable[[str], object]) -> None:
        self.context = context
        self._write = write
        self._open: dict[str, _Section] = {}
        self._beat = 0.0

    def emit(self, event: Event) -> None:
        """Keep the event's line for its step's section; write at once what belongs to none."""
        step = getattr(event, "step", None)
        line = unforgeable(event_line(self.context, event))
        if step is None:
            self._write(line + "\n")
            return
        elapsed = getattr(event, "elapsed", 0.0)
        section = self._open.setdefault(step.name, _Section(step, elapsed))
        section.last = elapsed
        section.add(line)
        if isinstance(event, StepFinished):
            del self._open[step.name]
            self._flush(section, elapsed, event)
        elif isinstance(event, StepStarted | StepProgress):
            self._heartbeat(elapsed)

    def stop(self) -> None:
        """Write what steps said that never ended: the job is being stopped."""
        for section in self._open.values():
            self._flush(section, section.last, None)
        self._open.clear()

    def _heartbeat(self, elapsed: float) -> None:
        if elapsed - self._beat < HEARTBEAT:
            return
        self._beat = elapsed
        fields = {"running": list(self._open)}
        line = logfmt_line(self.context, "info", "still working", fields, elapsed=elapsed)
        self._write(unforgeable(line) + "\n")

    def _flush(self, section: _Section, end: float, finished: StepFinished | None) -> None:
        good = finished is not None and finished.outcome.good
        start, stop = (int(self.context.wall(moment)) for moment in (section.begin, end))
        name = section_name(section.step.name, self.context.run)
        option = "[collapsed=true]" if good else ""
        title = unforgeable(_title(section.step, finished))
        self._write(
            f"\x1b[0Ksection_start:{start}:{name}{option}\r\x1b[0K{title}\n"
            f"{section.text()}\x1b[0Ksection_end:{stop}:{name}\r\x1b[0K\n"
        )


class _Section:
    """The lines of one step so far."""

    def __init__(self, step: Step, begin: float) -> None:
        self.step = step
        self.begin = begin
        self.last = begin
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._added = 0

    def add(self, line: str) -> None:
        self._lines.append(line)
        self._added += 1

    def text(self) -> str:
        """The lines, each with its newline, and how many were left out before them."""
        dropped = self._added - len(self._lines)
        head = [f"({count(dropped, 'line')} left out)"] if dropped else []
        return "".join(f"{line}\n" for line in [*head, *self._lines])


def section_name(step: str, run: str) -> str:
    """A name that GitLab takes, and that no other run in the same job uses."""
    return _NAME.sub("_", f"envctl_{step}_{run[:8]}").strip("_").lower()


def unforgeable(line: str) -> str:
    """``line`` without anything that GitLab would read as a section's marker."""
    return _MARKER.sub(r"section-\1:", line.replace("\r", " ").replace("\x1b", " "))


def _title(step: Step, finished: StepFinished | None) -> str:
    name = clean(step.component or step.name)
    if finished is None:
        return f"{name}: not finished"
    return f"{name}: {finished.outcome} ({duration(finished.seconds)})"
