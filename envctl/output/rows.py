"""One step of the picture: its line, and the lines of what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model.step import Outcome
from envctl.output.lines import Line, Lines, Span
from envctl.output.text import cells, clean, count, duration, fit, pad

if TYPE_CHECKING:
    from envctl.model.events import Waiting
    from envctl.output.state import Row, RunState
    from envctl.output.symbols import Symbols

#: Names longer than this are cut: they may not push the reason off the line.
MAX_NAME = 22
_SPINS_PER_SECOND = 8
_WORDS = {
    Outcome.SUCCEEDED: "ready",
    Outcome.UNCHANGED: "unchanged",
    Outcome.FAILED: "failed",
    Outcome.SKIPPED: "skipped",
    Outcome.TIMED_OUT: "timed out",
    Outcome.SUPERSEDED: "superseded",
    Outcome.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """What all rows of one picture share; ``kinds`` is that column's width, 0 for none."""

    state: RunState
    now: float
    width: int
    symbols: Symbols
    names: dict[str, str]
    name_width: int
    kinds: int
    final: bool = False


def row_line(row: Row, drawing: Drawing) -> Line:
    """Sign, name, kind, what is going on, and the time it took so far."""
    sign, style = _sign(row, drawing)
    clock = _clock(row, drawing.now)
    name = fit(drawing.names[row.step.name], drawing.name_width, drawing.symbols.ellipsis)
    kind = f"  {pad(shown_kind(row), drawing.kinds)}" if drawing.kinds else ""
    room = drawing.width - 2 - drawing.name_width - len(kind) - 2 - len(clock) - 2
    text = fit(_status(row, drawing), max(room, 4), drawing.symbols.ellipsis)
    return (
        Span(f"{sign} ", style),
        Span(pad(name, drawing.name_width), "dim" if row.pending else "name"),
        Span(kind, "dim"),
        Span("  "),
        Span(pad(text, room), _STATUS_STYLE.get(style, "")),
        Span("  "),
        Span(clock, "dim"),
    )


_STATUS_STYLE = {"bad": "bad", "dim": "dim", "good": "dim", "warn": "warn"}


def _sign(row: Row, drawing: Drawing) -> tuple[str, str]:
    signs = drawing.symbols
    if row.outcome is not None:
        return outcome_sign(row.outcome, signs)
    if row.pending:
        return signs.pending, "dim"
    if drawing.final:
        return signs.stopped, "warn"
    if row.retry:
        return signs.retry, "warn"
    return signs.spinner[int(drawing.now * _SPINS_PER_SECOND) % len(signs.spinner)], "accent"


def shown_kind(row: Row) -> str:
    """What kind of component a step is; the stages of envctl itself are none."""
    return "" if row.step.kind == "stage" else clean(row.step.kind, limit=12)


def outcome_sign(outcome: Outcome, signs: Symbols) -> tuple[str, str]:
    """The sign of an outcome, and its style."""
    match outcome:
        case Outcome.SUCCEEDED:
            return signs.good, "good"
        case Outcome.UNCHANGED:
            return signs.same, "good"
        case Outcome.FAILED | Outcome.TIMED_OUT:
            return signs.bad, "bad"
        case _:
            return signs.stopped, "warn"


def _clock(row: Row, now: float) -> str:
    if row.outcome is not None:
        return duration(row.seconds) if row.seconds else ""
    return duration(now - row.started) if row.started is not None else ""


def _status(row: Row, drawing: Drawing) -> str:
    if row.outcome is not None:
        return _ended(row)
    if drawing.final:
        return "not started" if row.pending else f"not finished: {clean(row.doing) or 'working'}"
    if row.pending:
        waits = [drawing.names.get(name, name) for name in drawing.state.unfinished(row.step)]
        return f"needs {', '.join(waits)}" if waits else "next"
    if row.retry:
        again = f"again in {duration(row.retry.delay)}"
        return f"{again}: {clean(row.retry.why)}"
    doing = clean(row.doing) or "working"
    if row.total:
        doing = f"{doing}, {row.ready} of {row.total} ready"
    late = row.started is not None and drawing.now - row.started > row.step.timeout / 2
    return f"{doing}, limit {duration(row.step.timeout)}" if late else doing


def _ended(row: Row) -> str:
    word = _WORDS[row.outcome] if row.outcome else ""
    if row.step.kind == "check" and row.outcome is Outcome.SUCCEEDED:
        word = "passed"
    elif row.step.kind in {"job", "stage"} and row.outcome is Outcome.SUCCEEDED:
        word = "done"
    again = f", {count(row.retries, 'retry', 'retries')}" if row.retries else ""
    message = clean(row.message)
    if message and not row.good:
        return f"{word}{again}: {message}"
    return f"{message or word}{again}"


def waiting_lines(row: Row, drawing: Drawing, most: int) -> Lines:
    """What a running step waits for, on at most ``most`` lines; the last counts the others."""
    if not row.running or not row.waiting or most < 1:
        return []
    shown = row.waiting if len(row.waiting) <= most else row.waiting[: max(most - 1, 1)]
    widest = max(cells(clean(item.object)) for item in shown)
    column = min(widest, max(drawing.width // 2 - 4, 12))
    lines = [_waiting(item, column, drawing) for item in shown]
    left = len(row.waiting) - len(shown)
    if left and most > 1:
        lines.append((Span(f"    and {left} more", "dim"),))
    return lines


def _waiting(item: Waiting, column: int, drawing: Drawing) -> Line:
    ellipsis = drawing.symbols.ellipsis
    name = pad(fit(clean(item.object), column, ellipsis), column)
    room = drawing.width - 4 - column - 2
    reason = fit(clean(item.reason), max(room, 4), ellipsis)
    return (Span("    "), Span(name), Span("  "), Span(reason, "dim"))
