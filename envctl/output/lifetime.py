"""What ``extend`` and ``keep`` did, in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.output.lines import Lines, Span
from envctl.output.tables import time_left
from envctl.output.text import clean

if TYPE_CHECKING:
    import datetime as dt

    from envctl.model.result import LifetimeResult
    from envctl.output.symbols import Symbols


def lifetime_lines(result: LifetimeResult, symbols: Symbols, now: dt.datetime) -> Lines:
    """Until when the environment lives, and who keeps it."""
    info = result.environment
    name = clean(f"{info.project}/{info.name}")
    sign = symbols.same if result.result == "unchanged" else symbols.good
    if info.kept_by and not info.kept_until:
        said, rest = f"{name} is kept", f" by {clean(info.kept_by)}, without end"
    elif not info.expires_at:
        said, rest = f"{name} lives on", ", nothing ends its life"
    else:
        said = f"{name} lives until {info.expires_at}"
        rest = f" ({time_left(info.expires_at, now)})"
        rest += f", kept by {clean(info.kept_by)}" if info.kept_by else ""
    return [(Span(f"{sign} ", "good"), Span(said, "headline"), Span(rest))]
