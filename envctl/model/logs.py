"""Which logs are asked for, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from envctl.model.events import LogLine
from envctl.model.lifetime import moment

#: Shows one line at once.
Show = Callable[[LogLine], None]
#: Containers that are read at the same time; each is a connection.
AT_ONCE = 200


_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\S+")


def split(text: str) -> tuple[str, str]:
    """The moment and the line; what the kubelet itself says instead of a log has no moment."""
    stamp, _, line = text.partition(" ")
    return (stamp, line) if _STAMP.fullmatch(stamp) and moment(stamp) else ("", text)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. ``since`` is seconds back from now; no components means all of them."""

    components: tuple[str, ...] = ()
    since: float | None = None
    tail: int | None = None
    previous: bool = False
    follow: bool = False

    def takes(self, component: str) -> bool:
        """Whether lines of this component are asked for."""
        return not self.components or component in self.components


@dataclass(frozen=True, slots=True)
class Stream:
    """One container of one pod, and whose it is."""

    component: str
    pod: str
    container: str

    def said(self, line: str, time: str, elapsed: float) -> LogLine:
        """The event of a line of it, shown ``elapsed`` seconds into the run."""
        return LogLine(None, elapsed, self.component, self.pod, self.container, line, _in_utc(time))


def _in_utc(time: str) -> str:
    """A node stamps in its own time zone; what is public is in UTC."""
    found = None if time.endswith("Z") else moment(time)
    return found.isoformat().replace("+00:00", "Z") if found else time
