"""Which run a line belongs to: carried by every logfmt line, so that lines of many runs can mix."""

from __future__ import annotations

import datetime as dt
import re
import time
from dataclasses import dataclass, field

from envctl import __version__


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run of one verb. ``started`` is the wall clock of its begin, in seconds since 1970.

    Events carry seconds since the run began; with ``started`` they become moments. A field that is
    not known yet (the file was not read, say) is empty.
    """

    env: str = ""
    project: str = ""
    run: str = ""
    pipeline: str = ""
    verb: str = ""
    started: float = field(default_factory=time.time)

    @property
    def title(self) -> str:
        """What the run works on: ``project/env``, as far as it is known."""
        return "/".join(part for part in (self.project, self.env) if part)

    @property
    def agent(self) -> str:
        """The run as a User-Agent, for the audit log of the cluster: ``envctl/1.0 (run a1b2)``."""
        known = (("run", self.run), ("pipeline", self.pipeline))
        # A pipeline's number is a CI variable, and this becomes a header.
        words = [f"{key} {re.sub(r'[^0-9A-Za-z_.-]', '', word)}" for key, word in known if word]
        return f"envctl/{__version__}" + (f" ({'; '.join(words)})" if words else "")

    def wall(self, elapsed: float) -> float:
        """The wall clock, in seconds since 1970, ``elapsed`` seconds into the run."""
        return self.started + elapsed

    def timestamp(self, elapsed: float) -> str:
        """The moment ``elapsed`` seconds into the run: RFC 3339, UTC, milliseconds."""
        moment = dt.datetime.fromtimestamp(self.wall(elapsed), dt.UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
