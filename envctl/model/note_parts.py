"""The sections of a note on a merge request, each as long as a level allows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from envctl.model.markdown import code, details, fenced, table, text
from envctl.model.words import count, duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envctl.model.failure import Culprit, Failure
    from envctl.model.result import CheckResult, ComponentResult, DownResult

_NAME = 100
_SENTENCE = 500
_HELD = 5
#: Percent; beyond it the number itself says more.
_MOST = 999
_SIGNS = {
    "succeeded": "✅",
    "passed": "✅",
    "unchanged": "✅",
    "failed": "❌",
    "timed-out": "❌",
    "skipped": "⏭️",
    "unknown": "❔",
}


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a check measured on the target branch; ``seconds`` is None where it is not known."""

    seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Level:
    """How many log lines and events a culprit shows, how many rows a table, how many culprits."""

    lines: int
    rows: int
    culprits: int


LEVELS = (
    Level(100, 200, 20),
    Level(30, 200, 20),
    Level(10, 200, 10),
    Level(0, 200, 10),
    Level(0, 50, 5),
    Level(0, 10, 2),
    Level(0, 0, 0),
)


def components(results: Sequence[ComponentResult], level: Level) -> list[str]:
    """The table of the components."""
    rows = [
        (
            code(one.name, _NAME),
            code(one.type, _NAME),
            _state(one.state),
            "yes" if one.changed else "no",
            duration(one.seconds),
        )
        for one in results[: level.rows]
    ]
    heads = ("component", "type", "state", "changed", ">time")
    return _rows(heads, rows, len(results), "component")


def checks(
    results: Sequence[CheckResult], baseline: Mapping[str, Baseline], name: str, level: Level
) -> list[str]:
    """The table of the checks: a row for each, and one for each number that it measured."""
    rows: list[tuple[str, ...]] = []
    for one in results[: level.rows]:
        known = baseline.get(one.name, Baseline())
        shown = code(one.name, _NAME)
        rows.append((shown, _state(one.result), "time", *_seconds(one.seconds, known.seconds)))
        rows += [
            (shown, "", code(metric, _NAME), *_numbers(value, known.metrics.get(metric)))
            for metric, value in one.metrics[: level.rows]
        ]
    against = code(name, _NAME) or "target branch"
    heads: tuple[str, ...] = ("check", "result", "number", ">here", f">{against}", ">change")
    if not any(one.name in baseline for one in results):
        heads, rows = heads[:4], [row[:4] for row in rows]
    total = sum(1 + len(one.metrics) for one in results)
    return _rows(heads, rows[: level.rows], total, "check result")


def gates(results: Sequence[CheckResult], level: Level) -> list[str]:
    """The table of the gates: what each demands, and what it found."""
    found = [(one.name, gate) for one in results for gate in one.gates]
    rows = [
        (
            code(name, _NAME),
            code(gate.gate, _SENTENCE),
            _state(gate.result),
            *("" if number is None else _number(number) for number in (gate.value, gate.baseline)),
            _change(gate.value, gate.baseline) if gate.value is not None else "",
            "" if gate.result == "passed" else text(gate.why, _SENTENCE),
        )
        for name, gate in found[: level.rows]
    ]
    heads = ("check", "gate", "verdict", ">value", ">baseline", ">change", "why")
    return _rows(heads, rows, len(found), "gate")


def failure(what: Failure | None, level: Level) -> list[str]:
    """The diagnosis: the verdict, who is to blame with logs and events folded, and what to do."""
    if what is None:
        return []
    shown = what.culprits[: level.culprits]
    waiting = f"{count(what.dependants, 'component')} only waiting for that." * bool(
        what.dependants
    )
    return [
        *_bold(text(what.verdict, _SENTENCE)),
        *[part for culprit in shown for part in _culprit(culprit, level, what.next)],
        *_left_out(len(what.culprits) - len(shown), "culprit"),
        *([waiting] if waiting else []),
        *_next(what.next),
    ]


def remains(result: DownResult, level: Level) -> list[str]:
    """What a teardown left behind, what holds it, and who should have removed it."""
    rows = [
        (
            code(one.object, _NAME),
            _held(one.finalizers),
            text(one.controller, _NAME),
            text(one.next, _SENTENCE),
        )
        for one in result.stuck[: level.rows]
    ]
    left = [f"- {code(one, _NAME)}" for one in result.leftovers[: level.rows]]
    return [
        *_rows(("object", "held by", "removed by", "next"), rows, len(result.stuck), "object"),
        *(["Left over:\n\n" + "\n".join(left)] if left else []),
        *_left_out(len(result.leftovers) - len(left), "leftover"),
    ]


def _held(finalizers: Sequence[str]) -> str:
    more = f" and {len(finalizers) - _HELD} more" * (len(finalizers) > _HELD)
    return ", ".join(code(one, _NAME) for one in finalizers[:_HELD]) + more


def _culprit(culprit: Culprit, level: Level, said_below: str) -> list[str]:
    where = code(culprit.object, _NAME) or "an object"
    inside = code(culprit.container, _NAME)
    told = (culprit.reason, culprit.message, culprit.others())
    why = [text(part, _SENTENCE) for part in told]
    said = f"- {where}{f', container {inside}' if inside else ''}"
    return [
        ": ".join([said, *filter(None, why)]),
        *_folded("log", culprit.logs, level.lines),
        *_folded("events", culprit.events, level.lines),
        *_next(culprit.next if culprit.next != said_below else ""),
    ]


def _folded(what: str, lines: Sequence[str], limit: int) -> list[str]:
    if not lines:
        return []
    if not limit:
        return [f"The {what} ({count(len(lines), 'line')}) did not fit: see the job."]
    kept = lines[-limit:]
    left = f", {len(lines) - len(kept)} before them left out" * (len(kept) < len(lines))
    return [details(f"The {what}: {count(len(kept), 'line')}{left}", fenced(kept))]


def _rows(
    heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], total: int, noun: str
) -> list[str]:
    return [*([table(heads, rows)] if rows else []), *_left_out(total - len(rows), noun)]


def _left_out(number: int, noun: str) -> list[str]:
    return [f"{count(number, f'more {noun}')} left out: see the job."] if number > 0 else []


def _state(state: str) -> str:
    return f"{_SIGNS[state]} {state}" if state in _SIGNS else code(state, _NAME)


def _bold(sentence: str) -> list[str]:
    return [f"**{sentence}**"] if sentence else []


def _next(sentence: str) -> list[str]:
    shown = text(sentence, _SENTENCE)
    return [f"Next: {shown}"] if shown else []


def _seconds(value: float, before: float | None) -> tuple[str, str, str]:
    return duration(value), "" if before is None else duration(before), _change(value, before)


def _numbers(value: float, before: float | None) -> tuple[str, str, str]:
    return _number(value), "" if before is None else _number(before), _change(value, before)


def _number(value: float) -> str:
    """Four digits, or all of those before the point; long ones are code."""
    short = f"{value:.0f}" if 1000 <= abs(value) < 1e12 else f"{value:.4g}"
    return f"`{short}`" if "e" in short or len(short) > 6 else short  # seven could be a commit


def _change(value: float, before: float | None) -> str:
    if not before:  # nothing to compare with, or nothing that a part of could be named
        return ""
    percent = (value - before) / abs(before) * 100
    if not math.isfinite(percent):
        return ""
    whole = max(-_MOST, min(_MOST, round(percent)))
    sign = "±" if whole == 0 else "+" if whole > 0 else "\N{MINUS SIGN}"
    return f"{'more than ' * (abs(percent) > _MOST)}{sign}{abs(whole)} %"
