"""What gc did, as lines: a table of what went and what is stuck, and a sentence for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.output.lines import Lines, Span, line
from envctl.output.tables import Cell, Column, table_lines
from envctl.output.text import clean, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envctl.model.gcresult import Entry, GcResult
    from envctl.output.symbols import Symbols

_COLUMNS = (Column("ENVIRONMENT"), Column("VERDICT"), Column("WHY"))
_STYLES = {"deleted": "good", "stuck": "bad", "unknown": "warn", "would delete": "accent"}
#: In this order, what asks for somebody to act last: it is what stays on the screen.
_WORDS = ("kept", "deleted", "unknown", "stuck")


def gc_lines(result: GcResult, symbols: Symbols, width: int | None) -> Lines:
    """The table, what holds each that is stuck, and how many there were of each."""
    rows = list(_rows(result))
    lines = table_lines(_COLUMNS, rows, width, symbols.ellipsis) if rows else []
    for outcome in result.of("stuck"):
        for held in outcome.stuck:
            name = f"  {clean(outcome.entry.namespace)} {clean(held.object)}"
            by = f"  held by {clean(', '.join(held.finalizers))}" if held.finalizers else ""
            lines.append((Span(name, "name"), Span(by)))
            if held.next:
                lines.append((Span(f"  {symbols.arrow} ", "accent"), Span(clean(held.next))))
    if rows:
        lines.append(line())
    return [*lines, _head(result, symbols)]


def _rows(result: GcResult) -> Iterator[list[Cell | str]]:
    for word in _WORDS:
        for outcome in result.of(word):
            yield _row(outcome.entry, word)
        if word == "deleted":
            for entry in result.would_delete:
                yield _row(entry, "would delete")


def _row(entry: Entry, word: str) -> list[Cell | str]:
    name = f"{entry.project}/{entry.name}"
    return [Cell(name, "name"), Cell(word, _STYLES.get(word, "dim")), entry.why]


def _head(result: GcResult, symbols: Symbols) -> tuple[Span, ...]:
    words = [f"{number} {word}" for word, number in result.counts().items() if number]
    said = ", ".join(words) or "nothing was to be done"
    rest = f" of {count(result.seen, 'environment')}"
    if result.dry_run and not result.refused:
        said = f"{len(result.would_delete)} would be deleted"
    if result.warned:
        rest += f", {count(result.warned, 'merge request')} warned"
    match result.result:
        case "stuck":
            sign, style = symbols.bad, "bad"
        case "refused" | "unknown":
            sign, style = symbols.stopped, "warn"
        case _:
            sign, style = symbols.good, "good"
    return (Span(f"{sign} ", style), Span(said, "headline"), Span(rest))
