"""Durations as people write them: ``90s``, ``4m``, ``72h``, ``14d``."""

from __future__ import annotations

from envctl.errors import ConfigError


def seconds(value: str | float, *, what: str = "duration") -> float:
    """Seconds of a duration; raises ConfigError for a negative or malformed one."""
    import durationpy

    if str(value).strip() in ("0", ""):
        return 0.0
    try:
        found = float(durationpy.from_str(str(value).strip()).total_seconds())
    except (durationpy.DurationError, OverflowError) as error:
        raise _wrong(value, what, "It is not a number with a unit") from error
    if found < 0:
        raise _wrong(value, what, "It is negative")
    return found


def _wrong(value: str | float, what: str, why: str) -> ConfigError:
    return ConfigError(
        f"The {what} {str(value)[:40]!r} cannot be used.",
        why=f"{why}.",
        next="Write for example 90s, 4m, 72h or 14d.",
    )
