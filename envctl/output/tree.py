"""The picture of a run: a pure function from what is known to lines, never taller than the screen.

shop/fix-cart up                                    14.2 s
├ ✔ db   helm       ready                            8.1 s
├ ⠹ api  kustomize  applied, 1 of 2 ready            5.3 s
│     Deployment/api  0 of 1 replicas are available
╰ ○ web  manifests  needs api
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.output.lines import Line, Lines, Span
from envctl.output.rows import MAX_NAME, Drawing, row_line, shown_kind, waiting_lines
from envctl.output.text import cells, clean, count, duration, fit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.output.state import Row, RunState
    from envctl.output.symbols import Symbols

#: How many awaited objects a step shows, from the roomiest picture to the tightest.
_DETAIL = (4, 2, 1, 0)


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn on: cells, lines, signs; ``now`` is seconds since the run began."""

    width: int
    height: int
    now: float
    symbols: Symbols
    title: str = ""
    verb: str = ""
    final: bool = False


def tree_lines(state: RunState, view: View) -> Lines:
    """The picture, at most ``view.height`` lines; the last one of a run may be taller."""
    rows = list(state.rows.values())
    drawing = _drawing(state, view, rows)
    body = _final(rows, drawing, view) if view.final else _folded(rows, drawing, view.height - 1)
    return [_header(view), *_hang(body, view.symbols)]


def _drawing(state: RunState, view: View, rows: list[Row]) -> Drawing:
    names = _names(rows)
    widest = max((cells(name) for name in names.values()), default=0)
    return Drawing(
        state=state,
        now=view.now,
        width=view.width - 2,
        symbols=view.symbols,
        names=names,
        name_width=min(widest, MAX_NAME),
        kinds=max((len(shown_kind(row)) for row in rows), default=0) if view.width >= 72 else 0,
        final=view.final,
    )


def _names(rows: Iterable[Row]) -> dict[str, str]:
    """How each step is called: its component, unless two steps would then look the same."""
    called = {row.step.name: row.step.component or row.step.name for row in rows}
    taken = Counter(called.values())
    return {
        step: clean(step if taken[label] > 1 else label, limit=60) for step, label in called.items()
    }


def _header(view: View) -> Line:
    clock = duration(view.now)
    room = view.width - len(clock) - 2
    title = fit(clean(view.title), room, view.symbols.ellipsis)
    verb = fit(f" {view.verb}" if view.verb else "", room - cells(title), view.symbols.ellipsis)
    gap = " " * max(2, view.width - cells(title) - cells(verb) - len(clock))
    return (Span(title, "headline"), Span(verb, "dim"), Span(gap), Span(clock, "dim"))


@dataclass(frozen=True, slots=True)
class _Block:
    """What hangs together: the line of a step, and what it waits for."""

    head: Line
    body: tuple[Line, ...] = ()

    @property
    def height(self) -> int:
        return 1 + len(self.body)


def _hang(blocks: list[_Block], symbols: Symbols) -> Lines:
    lines: Lines = []
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        lines.append((Span(f"{symbols.corner if last else symbols.tee} ", "dim"), *block.head))
        bar = " " if last else symbols.bar
        lines += [(Span(f"{bar} ", "dim"), *inner) for inner in block.body]
    return lines


def _final(rows: list[Row], drawing: Drawing, view: View) -> list[_Block]:
    """The summary that stays: everything, but what was as it should be only while it fits."""
    same = [row for row in rows if row.outcome == "unchanged"]
    if len(rows) < view.height or not same:
        return [_Block(row_line(row, drawing)) for row in rows]
    rest = [_Block(row_line(row, drawing)) for row in rows if row not in same]
    folded = _sum(view.symbols.same, "dim", f"{count(len(same), 'step')} unchanged", drawing)
    return [folded, *rest]


def _folded(rows: list[Row], drawing: Drawing, budget: int) -> list[_Block]:
    fitting = _blocks(rows, drawing, budget)
    return _fold_finished(rows, drawing, budget) if fitting is None else fitting


def _blocks(rows: list[Row], drawing: Drawing, room: int) -> list[_Block] | None:
    """All ``rows`` with as much detail as there is room for; nothing, if there is not enough."""
    if len(rows) > room:
        return None
    for detail in _DETAIL:
        blocks = [_block(row, drawing, detail) for row in rows]
        if _height(blocks) <= room:
            return blocks
    return None


def _fold_finished(rows: list[Row], drawing: Drawing, budget: int) -> list[_Block]:
    """Too many steps for the screen: what is done and what has not begun become one line each."""
    good = [row for row in rows if row.good]
    pending = [row for row in rows if row.pending]
    active = [row for row in rows if not row.good and not row.pending]
    top = [_sum(drawing.symbols.good, "good", _done(good), drawing)] if good else []
    end = [_sum(drawing.symbols.pending, "dim", f"{len(pending)} to come", drawing)]
    end = end if pending else []
    room = budget - len(top) - len(end)
    blocks = _blocks(active, drawing, room)
    if blocks is not None:
        return [*top, *blocks, *_as_many(pending, end, room - _height(blocks), drawing)]
    shown = [_block(row, drawing, 0) for row in _worst_first(active)[: max(room - 1, 0)]]
    more = _sum(" ", "dim", f"{len(active) - len(shown)} more at work", drawing)
    return [*top, *shown, more, *end]


def _as_many(pending: list[Row], end: list[_Block], room: int, drawing: Drawing) -> list[_Block]:
    """The next steps to come, as many as there is room for, and a line for the others."""
    if room < 1 or not pending:
        return end
    shown = [_block(row, drawing, 0) for row in pending[:room]]
    left = len(pending) - len(shown)
    if not left:
        return shown
    return [*shown, _sum(drawing.symbols.pending, "dim", f"{left} more to come", drawing)]


def _worst_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.running)


def _done(rows: list[Row]) -> str:
    slowest = max(rows, key=lambda row: row.seconds)
    called = clean(slowest.step.component or slowest.step.name, limit=30)
    return f"{len(rows)} done, the slowest {called} in {duration(slowest.seconds)}"


def _height(blocks: list[_Block]) -> int:
    return sum(block.height for block in blocks)


def _block(row: Row, drawing: Drawing, detail: int) -> _Block:
    return _Block(row_line(row, drawing), tuple(waiting_lines(row, drawing, detail)))


def _sum(sign: str, style: str, text: str, drawing: Drawing) -> _Block:
    room = drawing.width - 2
    head = (Span(f"{sign} ", style), Span(fit(text, room, drawing.symbols.ellipsis), "dim"))
    return _Block(head)
