"""When an environment's life ends, from what stands on its namespace; pure.

An environment lives ``ttl`` from its last use (a run that worked on it), or as long as ``extend``
said, whichever is later, and never past ``max`` from its creation. ``keep`` outlasts all of that:
somebody put their name to it. ``idle`` puts an environment to sleep and ends no life.

Clocks, and why none that is up to ``SKEW`` wrong deletes anything early:

- The time to judge by is the API server's, or this machine's less ``SKEW``: never later than true.
- The creation is stamped by the API server too, so ``max`` is exact.
- Every other stamp may come from a machine whose clock was slow, and may so be ``SKEW`` too early:
  an end that is counted from one of them has passed only once it is ``GRACE`` ago.
- A stamp that is too late, or in the future, lets an environment live longer, never past ``max``.

A stamp that cannot be read is none, and an environment without any end is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from envctl.model.environment import EXPIRES, KEEP, LAST_USED

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds of ``ttl`` and ``max`` as the file said them at the last run.
TTL = "envctl.dev/ttl"
MAX = "envctl.dev/max"
#: Until when ``extend`` lets it live, whatever later runs count.
EXTENDED = "envctl.dev/extended-until"
#: The end that was warned of on the merge request.
WARNED = "envctl.dev/warned-for"
#: Seconds that any clock may be wrong by, to either side.
SKEW = 3600.0
#: Seconds after an end that a machine has stamped until it has passed for certain.
GRACE = SKEW + 300.0
#: The word for a keep that has no end.
ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Keep:
    """Who keeps an environment, and until when; None is without end."""

    by: str
    until: datetime | None = None

    def dump(self) -> str:
        """As the annotation holds it: ``always by ann``."""
        return f"{stamp(self.until) if self.until else ALWAYS} by {self.by}"

    def ended(self, now: datetime) -> bool:
        """Whether it has ended for certain."""
        return self.until is not None and now >= later(self.until, GRACE)


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of an environment's life; ``ttl`` and ``max_age`` are seconds, 0 for none."""

    created: datetime | None = None
    used: datetime | None = None
    expires: datetime | None = None
    extended: datetime | None = None
    ttl: float = 0.0
    max_age: float = 0.0
    keep: Keep | None = None

    @property
    def limit(self) -> datetime | None:
        """The moment past which nothing but ``keep`` lets it live."""
        if self.created is None or not self.max_age:
            return None
        return later(self.created, self.max_age)

    @property
    def _stamped(self) -> datetime | None:
        """The end by the stamps of runs and of ``extend``, the latest of them."""
        counted = later(self.used, self.ttl) if self.used and self.ttl else None
        ends = [end for end in (self.expires, counted, self.extended) if end]
        return max(ends) if ends else None

    @property
    def end(self) -> datetime | None:
        """When it ends, as ``list`` shows it; None where nothing ends it."""
        known = [end for end in (self._stamped, self.limit) if end]
        if not known or (self.keep and self.keep.until is None):
            return None
        if self.keep and self.keep.until:
            return max(min(known), self.keep.until)
        return min(known)

    def kept(self, now: datetime) -> bool:
        """Whether somebody keeps it, at ``now``."""
        return self.keep is not None and not self.keep.ended(now)

    def over(self, now: datetime) -> bool:
        """Whether it has ended for certain; ``now`` must not be later than the true time."""
        if self.kept(now):
            return False
        if self.limit is not None and now >= self.limit:
            return True
        return self._stamped is not None and now >= later(self._stamped, GRACE)


def life_of(annotations: Mapping[str, str], created: str) -> Life:
    """Read a life from a namespace's annotations and its creation time."""
    return Life(
        created=moment(created),
        used=moment(annotations.get(LAST_USED, "")),
        expires=moment(annotations.get(EXPIRES, "")),
        extended=moment(annotations.get(EXTENDED, "")),
        ttl=_seconds(annotations.get(TTL, "")),
        max_age=_seconds(annotations.get(MAX, "")),
        keep=_keep(annotations[KEEP]) if KEEP in annotations else None,
    )


def limits(ttl: float, max_age: float) -> dict[str, str]:
    """The annotations that let ``extend`` and ``gc`` do without the file."""
    found = {TTL: ttl, MAX: max_age}
    return {key: f"{value:.0f}" for key, value in found.items() if value}


def later(moment: datetime, seconds: float) -> datetime:
    """A moment some seconds on; the last moment there is, where that is too far."""
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def stamp(time: datetime) -> str:
    """RFC 3339 in UTC, to the second, as Kubernetes writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime | None:
    """The moment of an RFC 3339 text; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0.0


def _keep(text: str) -> Keep:
    """Whatever stands there keeps; only a date that can be read ends it."""
    until, _, by = text.partition(" by ")
    return Keep(by or text, moment(until))
