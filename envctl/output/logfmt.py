"""Events as logfmt lines: one line an event, the run's context on every one, nothing that forges.

The library quotes and escapes; it leaves C1 control characters, direction marks and the length of
a value alone, so ``clean`` goes first. Newlines stay, escaped, where a message has several lines.
"""

from __future__ import annotations

import re
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from logfmter import Logfmter

from envctl.model.events import (
    Event,
    GraphPlanned,
    LogLine,
    Note,
    RequestsCounted,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
)
from envctl.output.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.model.step import Step
    from envctl.output.context import RunContext

Fields = dict[str, Any]

#: Keys that every line begins with; extra fields cannot replace them.
CONTEXT_KEYS = (
    "ts",
    "level",
    "msg",
    "env",
    "project",
    "run",
    "pipeline",
    "step",
    "attempt",
    "elapsed",
)
_MAX_WAITING = 5
_KEY = re.compile(r"[^A-Za-z0-9_.-]+")


def logfmt_line(
    context: RunContext,
    level: str,
    msg: str,
    fields: Mapping[str, Any] | None = None,
    *,
    elapsed: float = 0.0,
    step: str = "",
    attempt: int | None = None,
) -> str:
    """One line without its newline: the context, then ``fields`` in their order."""
    values: Fields = {
        "ts": context.timestamp(elapsed),
        "level": level,
        "msg": msg,
        "env": context.env,
        "project": context.project,
        "run": context.run,
        "pipeline": context.pipeline,
        "step": step,
        "attempt": attempt,
        "elapsed": round(elapsed, 3),
    }
    for key, value in (fields or {}).items():
        values[_key(key)] = value
    return Logfmter.format_params({key: _value(value) for key, value in values.items()})


def event_line(context: RunContext, event: Event) -> str:
    """The line of one event."""
    level, msg, fields = describe(event)
    step = getattr(event, "step", None)
    return logfmt_line(
        context,
        level,
        msg,
        fields,
        elapsed=getattr(event, "elapsed", 0.0),
        step=step.name if step else "",
        attempt=getattr(event, "attempt", None),
    )


def _key(key: str) -> str:
    safe = _KEY.sub("_", key) or "_"
    return f"field_{safe}" if safe in CONTEXT_KEYS else safe


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        value = ",".join(str(item) for item in value)
    return clean(str(value), keep_newlines=True)


@singledispatch
def describe(event: Event) -> tuple[str, str, Fields]:
    """Level, message and extra fields of an event."""
    raise TypeError(f"no logfmt for {type(event).__name__}")


@describe.register
def _(event: GraphPlanned) -> tuple[str, str, Fields]:
    return "info", "planned", {"steps": [step.name for step in event.steps]}


@describe.register
def _(event: StepStarted) -> tuple[str, str, Fields]:
    return "info", "started", {**_who(event.step), "timeout": event.step.timeout}


@describe.register
def _(event: StepProgress) -> tuple[str, str, Fields]:
    fields = _who(event.step)
    if event.total:
        fields |= {"ready": event.ready, "total": event.total}
    if event.waiting:
        shown = [f"{item.object}: {item.reason}" for item in event.waiting[:_MAX_WAITING]]
        more = len(event.waiting) - len(shown)
        fields["waiting"] = "; ".join([*shown, f"{more} more"] if more else shown)
    return "info", event.doing or "progress", fields


@describe.register
def _(event: StepRetried) -> tuple[str, str, Fields]:
    fields = _who(event.step) if event.step else {}
    fields |= {"policy": event.policy, "why": event.why, "delay": round(event.delay, 3)}
    return "warning", "retrying", fields


@describe.register
def _(event: StepFinished) -> tuple[str, str, Fields]:
    fields = _who(event.step) | {
        "outcome": str(event.outcome),
        "seconds": round(event.seconds, 3),
        "changed": event.changed,
    }
    if event.message:
        fields["message"] = event.message
    if event.failure:
        fields["verdict"] = event.failure.verdict
    return _LEVELS.get(str(event.outcome), "info"), "finished", fields


_LEVELS = {
    "failed": "error",
    "timed-out": "error",
    "superseded": "warning",
    "cancelled": "warning",
    "skipped": "warning",
}


@describe.register
def _(event: Note) -> tuple[str, str, Fields]:
    return event.level, event.message, dict(event.fields)


@describe.register
def _(event: LogLine) -> tuple[str, str, Fields]:
    fields = {"component": event.component, "pod": event.pod, "container": event.container}
    return "info", event.line, fields | ({"time": event.time} if event.time else {})


@describe.register
def _(event: RequestsCounted) -> tuple[str, str, Fields]:
    return "info", "API requests", dict(event.by_verb)


def _who(step: Step) -> Fields:
    fields: Fields = {"kind": step.kind}
    if step.component:
        fields["component"] = step.component
    return fields
