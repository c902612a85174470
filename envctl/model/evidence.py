"""What was collected about a failure, and how much of it there may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.model.redact import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Bytes of a container's log that are kept, its last ones, and of all logs together.
LOG_BYTES = 1024 * 1024
ALL_LOG_BYTES = 24 * 1024 * 1024
#: Lines of a container's log that are asked for.
LOG_LINES = 20_000
MAX_EVENTS = 5000
MAX_OBJECTS = 2000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the folder has got beside its index.

    ``gaps`` says, a sentence each, what could not be had. ``hidden`` is what the index must not
    show either.
    """

    gaps: tuple[str, ...] = ()
    hidden: Hidden = field(default_factory=Hidden)


class Tail:
    """The last lines of a log, as many as there is room for; memory does not grow with the log."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.size = 0
        self.dropped = 0
        self._lines: list[str] = []
        self._begin = 0

    def add(self, line: str) -> None:
        """Take a line in, and let the first ones go where there is no room for all."""
        self._lines.append(line)
        self.size += len(line.encode(errors="replace")) + 1
        while self.size > self.room and self._begin < len(self._lines):
            self.size -= len(self._lines[self._begin].encode(errors="replace")) + 1
            self._lines[self._begin] = ""
            self._begin += 1
            self.dropped += 1
        if self._begin > 1000:  # not each time: it moves all that is kept
            del self._lines[: self._begin]
            self._begin = 0

    def lines(self) -> Iterable[str]:
        """What was kept, after a word about what was not."""
        if self.dropped:
            yield f"[{self.dropped} lines before these were left out]"
        yield from self._lines[self._begin :]
