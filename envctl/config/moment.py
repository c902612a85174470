"""Moments as people write them: ``2026-12-24``, or RFC 3339 with a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from envctl.errors import ConfigError

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def moment(value: str, *, what: str = "moment") -> datetime:
    """The moment in UTC; a date alone means its end. Raises ConfigError."""
    text = value.strip()
    try:
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1)
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ConfigError(
        f"The {what} {value[:40]!r} cannot be used.",
        why="It is no date, and no time with a zone.",
        next="Write for example 2026-12-24 or 2026-12-24T18:00:00Z.",
    )
