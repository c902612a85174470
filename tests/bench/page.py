"""docs/benchmarks.md, made from the results and from nothing else."""

from __future__ import annotations

import datetime as dt
import os
import platform
from typing import TYPE_CHECKING, Any

from envctl import __version__
from tests.bench import opponents
from tests.bench.line import OURS, Line, number
from tests.bench.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.measure import Figure

_HEAD = """\
# Benchmarks

Made by `task bench` from what was measured; nothing in it is written by hand.

envctl and the tools that people use today, on the same cluster in the same run, taking turns. A
figure is the median of the rounds, with the least and the most; a ratio is how many times as long
the other took, the median of the pairs. An absolute time says little on a machine that others use
too: read the ratios. Latency is made by a proxy on loopback that delays each direction by half of
it. The **floor** is what nobody could be faster than; what it consists of stands below the table.

- **S**: a component of 3 objects. **M**: 20 Helm releases of the chart that `helm create` writes,
  needing each other in 5 layers of 4. **L**: 300 plain objects: ConfigMaps, Services, Deployments
  as 10:5:3.
- Pods are real in rows A, B, D and E; else they are KWOK's.
"""
_COLUMNS = "| row | condition | envctl | others | ratio | goal | met? | floor | × floor |"
_REQUESTS = """\
Of envctl's runs, those of the Helm that it runs included, without renewals of the lock; from the
API server's audit log, which leaves out discovery and the reading of Leases.
`tests/bench/expected.json` holds them to the number.
"""
_GROWTH = """\
With 10 to 10,000 environments in the cluster, of 15 objects each: a namespace, its Lease, a
release, ten ConfigMaps, and what the cluster adds. At the right end it has 150,000 objects. `gc`
looks and judges (`--dry-run`); what it does with what it deletes is row H.
"""
_ROWS_OF_COUNTS = "J"


def about(rounds: int) -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} CPUs, {_memory()} GiB, Linux "
        f"{platform.release().partition('-')[0]}",
        "load": round(os.getloadavg()[2], 1),
        "rounds": rounds,
        "versions": {
            "envctl": __version__, "Python": platform.python_version(), **opponents.versions(),
        },
    }  # fmt: skip


def _memory() -> int:
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)


def page(
    facts: dict[str, dict[str, Any]], lines: Sequence[Line], pictures: Sequence[str] = ()
) -> str:
    """The whole page; ``facts`` by row, ``pictures`` files in docs/images."""
    timed = [line for line in lines if line.row != _ROWS_OF_COUNTS]
    counts = [line for line in lines if line.row == _ROWS_OF_COUNTS]
    parts = [_HEAD, _how(facts), "## The rows\n", _list(timed), table(timed)]
    parts += ["## What was missed, and where the time goes\n", _missed(timed)]
    parts += ["## Floors and notes\n", _floors(timed)]
    if counts:
        parts += ["## Requests (row J)\n", _counts(counts)]
    if pictures:
        parts += ["## How verbs grow\n", _GROWTH]
        parts += [f"![{name}](images/{name})\n" for name in pictures]
    return "\n".join(part for part in parts if part)


def _how(facts: dict[str, dict[str, Any]]) -> str:
    alike: dict[str, list[str]] = {}
    for letter, found in facts.items():
        versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
        words = f"{found['date']}, on {found['machine']}, {found['rounds']} rounds, with {versions}"
        alike.setdefault(words, []).append(letter)
    said = [
        f"Row{'s' * (len(rows) > 1)} {', '.join(rows)}: {words}{_load(facts, rows)}."
        for words, rows in alike.items()
    ]
    return "\n\n".join(said) + "\n\nAgain: `task bench`, or `task bench -- A E` for some rows.\n"


def _load(facts: dict[str, dict[str, Any]], rows: list[str]) -> str:
    """What the machine was busy with, itself included."""
    loads = [facts[letter]["load"] for letter in rows]
    least, most = min(loads), max(loads)
    return f", at a load of {least}" + (f" to {most}" if most > least else "")


def _list(lines: Sequence[Line]) -> str:
    there = {line.row for line in lines}
    return "\n".join(f"- **{r.letter}**: {r.what}" for r in ROWS if r.letter in there) + "\n"


def table(lines: Sequence[Line]) -> str:
    """A line for each row under each condition."""
    return "\n".join([_COLUMNS, "|---" * 9 + "|", *map(row, lines)]) + "\n"


def row(line: Line) -> str:
    """One line of the table."""
    floor = line.times_floor
    cells = (
        line.row,
        line.condition,
        told(line.ours, line.unit),
        _each(f"{who} {told(f, line.unit)}" for who, f in line.figures.items() if who != OURS),
        _each(f"{who} {number(ratio)}×" for who, ratio in line.ratios.items()),
        _each(map(str, line.goals)),
        _each("yes" if goal.met else "**no**" for goal in line.goals),
        f"{number(line.floor.value)} {line.unit}" if line.floor else "",
        f"{number(floor)}×" if floor else "",
    )
    return f"| {' | '.join(cells)} |"


def told(figure: Figure, unit: str) -> str:
    """A figure with its spread and, where a command was measured, its memory."""
    text = f"{number(figure.median)} {unit}" if unit != "requests" else number(figure.median)
    if figure.rounds > 1:
        text += f" ({number(figure.least)}-{number(figure.most)})"
    return text + (f", {figure.rss:.0f} MiB" if figure.rss else "")


def _each(texts: Any) -> str:
    return "<br>".join(texts)


def _missed(lines: Sequence[Line]) -> str:
    found = []
    for line in lines:
        missed = [goal for goal in line.goals if not goal.met]
        if missed:
            why = f" The time goes to: {line.why}." if line.why else ""
            words = "; ".join(map(str, missed))
            idea = f" Next: {line.idea}" if line.idea else ""
            found.append(f"- **{line.row}, {line.condition}**: {words}.{why}{idea}")
    return "\n".join(found or ["Nothing: every goal is met."]) + "\n"


def _floors(lines: Sequence[Line]) -> str:
    said: dict[str, list[str]] = {}
    for line in lines:
        floor = f"floor: {line.floor.what}. " if line.floor else ""
        notes = f"{line.notes.rstrip('.')}. " if line.notes else ""
        told_above = not all(goal.met for goal in line.goals)
        time = f"Where envctl's time goes: {line.why}." if line.why and not told_above else ""
        text = (floor + notes + time).strip()
        if text:
            said.setdefault(line.row, []).append(f"- **{line.row}, {line.condition}**: {text}")
    return "\n".join(text for texts in said.values() for text in texts) + "\n"


def _counts(lines: Sequence[Line]) -> str:
    head = [
        _REQUESTS,
        "| workload, verb | envctl | by verb | others |",
        "|---|---:|---|---|",
    ]
    rows = [
        f"| {line.condition} | {number(line.ours.median)} | {line.notes} | "
        + _each(f"{who} {number(f.median)}" for who, f in line.figures.items() if who != OURS)
        + " |"
        for line in lines
    ]
    return "\n".join([*head, *rows]) + "\n"
