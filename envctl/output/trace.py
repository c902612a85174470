"""A run's timeline in the Trace Event Format, which chrome://tracing, Perfetto and others read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envctl.model import timeline
from envctl.output.text import clean
from envctl.output.timings import OUTSIDE, lanes_of

if TYPE_CHECKING:
    from envctl.model.timeline import Bar, Lane
    from envctl.output.context import RunContext
    from envctl.output.recorder import Recorder


def chrome_trace(recorder: Recorder, context: RunContext) -> str:
    """The Trace Event Format: a process a run, a thread a row, times in microseconds."""
    events: list[dict[str, Any]] = [_name("process_name", 0, f"envctl {context.verb}")]
    thread = 0
    for lane in lanes_of(recorder):
        own = timeline.Bar("step", lane.step or OUTSIDE, lane.began, lane.ended)
        for row in [[own], *timeline.rows(lane.bars)]:
            thread += 1
            events.append(_name("thread_name", thread, own.name))
            events += [_event(bar, thread, lane) for bar in row]
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}) + "\n"


def _name(kind: str, thread: int, name: str) -> dict[str, Any]:
    return {"name": kind, "ph": "M", "pid": 1, "tid": thread, "args": {"name": clean(name)}}


def _event(bar: Bar, thread: int, lane: Lane) -> dict[str, Any]:
    return {
        "name": clean(bar.name), "cat": bar.kind, "ph": "X", "pid": 1, "tid": thread,
        "ts": round(bar.began * 1e6), "dur": round((bar.ended - bar.began) * 1e6),
        "args": {"step": lane.step, "critical": lane.critical},
    }  # fmt: skip
