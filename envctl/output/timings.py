"""Where the time went, for ``--timings``: a table for people, a line a step for logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import timeline
from envctl.output.lines import Lines, line
from envctl.output.logfmt import logfmt_line
from envctl.output.tables import Cell, Column, table_lines
from envctl.output.text import clean, duration, wrap

if TYPE_CHECKING:
    from envctl.model.timeline import Lane
    from envctl.output.context import RunContext
    from envctl.output.recorder import Recorder
    from envctl.output.symbols import Symbols

#: What is told of the requests that belong to no step.
OUTSIDE = "lock and record"
_COLUMNS = (
    Column("STEP"),
    Column("FROM"),
    Column("TOOK"),
    Column("HELM", 2),
    Column("KUSTOMIZE", 6),
    Column("API", 3),
    Column("REQUESTS", 7),
    Column("PAUSE", 5),
    Column("SCHEDULING", 6),
    Column("INIT", 4),
    Column("PULL", 1),
    Column("START", 4),
    Column("READINESS", 2),
    Column("RUN", 2),
)


def lanes_of(recorder: Recorder) -> list[Lane]:
    """The timeline of a run that was recorded."""
    return timeline.lanes(recorder.finished, recorder.spent)


def timing_lines(recorder: Recorder, symbols: Symbols, width: int | None) -> Lines:
    """The table, and below it the steps that decided how long the run took."""
    rows = [_row(lane) for lane in lanes_of(recorder)]
    found = [line(), *table_lines(_COLUMNS, rows, width, symbols.ellipsis)]
    path = timeline.critical_path(recorder.finished)
    if path:
        said = f"The end was decided by {f' {symbols.arrow} '.join(map(clean, path))}."
        found += [line(text, "dim") for text in wrap(said, width or 10_000)]
    return found


def _row(lane: Lane) -> list[Cell | str]:
    name = Cell(lane.step or OUTSIDE, "name" if lane.critical else "dim")
    spent = {kind: duration(seconds) for kind, seconds in lane.seconds.items()}
    return [
        name, duration(lane.began), duration(lane.ended - lane.began),
        *(spent.get(kind, "") for kind in ("helm", "kustomize", "api")),
        str(lane.requests or ""),
        *(spent.get(kind, "") for kind in timeline.KINDS[3:]),
    ]  # fmt: skip


def timing_logfmt(context: RunContext, recorder: Recorder) -> list[str]:
    """The same for a log: one line a step."""
    return [
        logfmt_line(
            context, "info", "timing",
            {
                "began": round(lane.began, 3), "took": round(lane.ended - lane.began, 3),
                "critical": lane.critical, "requests": lane.requests,
                **{kind: round(seconds, 3) for kind, seconds in lane.seconds.items()},
            },
            elapsed=recorder.elapsed, step=lane.step,
        )
        for lane in lanes_of(recorder)
    ]  # fmt: skip
