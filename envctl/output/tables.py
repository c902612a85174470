"""Tables that stay readable when the terminal is narrow: the least important column goes first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model.environment import Phase
from envctl.output.lines import Line, Lines, Span, line
from envctl.output.text import DAY, HOUR, MINUTE, cells, clean, fit, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.environment import EnvironmentInfo

_GAP = 2
_MIN_CELL = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``rank`` 0 is always shown, higher ranks go first where space is short."""

    title: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in a table and its style."""

    text: str
    style: str = ""


def table_lines(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell | str]],
    width: int | None,
    ellipsis: str = "…",
) -> Lines:
    """The table, at most ``width`` cells wide (as wide as it needs, without one).

    Columns without any value are left out.
    """
    cleaned = [[_cell(value) for value in row] for row in rows]
    keep = [i for i, _ in enumerate(columns) if any(row[i].text for row in cleaned) or not rows]
    sizes = {
        i: max([cells(columns[i].title), *(cells(row[i].text) for row in cleaned)]) for i in keep
    }
    while width is not None and _total(sizes) > width:
        optional = [i for i in sizes if columns[i].rank]
        if not optional:
            _shrink(sizes, width)
            break
        del sizes[max(optional, key=lambda i: columns[i].rank)]
    lines = [_row([Cell(column.title, "dim") for column in columns], sizes, ellipsis)]
    return lines + [_row(row, sizes, ellipsis) for row in cleaned]


def _cell(value: Cell | str) -> Cell:
    if isinstance(value, str):
        return Cell(clean(value))
    return Cell(clean(value.text), value.style)


def _total(sizes: dict[int, int]) -> int:
    return sum(sizes.values()) + _GAP * max(len(sizes) - 1, 0)


def _shrink(sizes: dict[int, int], width: int) -> None:
    """Take from the widest column until the row fits, or nothing is left to take."""
    while _total(sizes) > width:
        widest = max(sizes, key=lambda i: sizes[i])
        if sizes[widest] <= _MIN_CELL:
            return
        sizes[widest] = max(sizes[widest] - (_total(sizes) - width), _MIN_CELL)


def _row(row: Sequence[Cell], sizes: dict[int, int], ellipsis: str) -> Line:
    spans: list[Span] = []
    for index, size in sizes.items():
        text = pad(fit(row[index].text, size, ellipsis), size)
        spans += [Span(text, row[index].style), Span(" " * _GAP)]
    return tuple(spans[:-1])


_ENVIRONMENTS = (
    Column("NAME"),
    Column("PROJECT", 4),
    Column("PHASE"),
    Column("AGE", 3),
    Column("LEFT", 1),
    Column("OWNER", 5),
    Column("COMMIT", 6),
    Column("MR", 2),
    Column("URL", 2),
)
#: The style of each phase.
PHASES = {
    Phase.READY: "good",
    Phase.FAILED: "bad",
    Phase.STUCK: "bad",
    Phase.CREATING: "accent",
    Phase.DELETING: "warn",
    Phase.SLEEPING: "dim",
}
_SHORT_COMMIT = 8


def environment_lines(
    environments: Sequence[EnvironmentInfo], now: dt.datetime, width: int | None
) -> Lines:
    """``list`` as a table; ``now`` is an aware datetime, ages and time left are counted to it."""
    if not environments:
        return [line("No environments.", "dim")]
    rows = [_environment(info, now) for info in environments]
    return table_lines(_ENVIRONMENTS, rows, width)


def _environment(info: EnvironmentInfo, now: dt.datetime) -> list[Cell | str]:
    return [
        Cell(info.name, "name"),
        info.project,
        Cell(str(info.phase), PHASES.get(info.phase, "")),
        age(info.created_at, now),
        _left(info, now),
        info.owner,
        info.commit[:_SHORT_COMMIT],
        f"!{info.merge_request}" if info.merge_request else "",
        info.url,
    ]


def _left(info: EnvironmentInfo, now: dt.datetime) -> str:
    if info.kept_by and not info.kept_until:
        return "kept"
    left = time_left(info.expires_at, now)
    return (
        f"{left}, kept" if info.kept_by and time_left(info.kept_until, now) != "expired" else left
    )


def age(moment: str, now: dt.datetime) -> str:
    """How long ago an RFC 3339 moment was, in one or two units; empty where it is unknown."""
    then = _parse(moment)
    return span((now - then).total_seconds()) if then else ""


def time_left(moment: str, now: dt.datetime) -> str:
    """How long until an RFC 3339 moment; ``expired`` when it has passed, empty without one."""
    then = _parse(moment)
    if then is None:
        return ""
    seconds = (then - now).total_seconds()
    return span(seconds) if seconds > 0 else "expired"


def _parse(moment: str) -> dt.datetime | None:
    """A moment out of an annotation, which anybody may have edited: nonsense is no moment."""
    try:
        parsed = dt.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)


def span(seconds: float) -> str:
    """Seconds as a table shows them: ``45s``, ``3m``, ``5h20m``, ``2d4h``."""
    whole = max(int(seconds), 0)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m"
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02}m"
    return f"{whole // DAY}d{whole % DAY // HOUR}h"
