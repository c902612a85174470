"""What a check has written to its output as numbers, in one of the formats that people know."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.model import measures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from envctl.model.measures import Measures

#: Where a check's numbers are: in the termination message, or in the output as one of these.
TERMINATION = "termination"
#: Lines of the output that are read, its last ones.
LINES = 2000
#: Lines that are named as wrong; the rest is counted.
NAMED = 3
_SHOWN = 80
_DEEPEST = 8
_LONGEST_NAME = 120


class _Wrong(ValueError):
    """A line that has no numbers in the format, in words."""


@dataclass(slots=True)
class Reading:
    """The numbers, and what could not be read as any: a sentence for each of the first lines."""

    found: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    left_out: int = 0

    @property
    def metrics(self) -> Measures:
        """The numbers by name."""
        return tuple(self.found.items())

    def complaints(self) -> list[str]:
        """What to tell the author of the check."""
        more = len(self.wrong) - NAMED
        told = self.wrong[:NAMED] + ([f"{more} more lines have none either"] if more > 0 else [])
        if self.left_out:
            told.append(f"{self.left_out} numbers beyond the first {measures.MOST} are left out")
        return told

    def add(self, name: str, value: float) -> None:
        """Take a number in; of one that is said twice the last counts."""
        if not math.isfinite(value):
            raise _Wrong(f"{name[:_SHOWN]} is no finite number")
        if len(name) > _LONGEST_NAME:
            raise _Wrong(f"the name {name[:_SHOWN]}… is too long")
        if name not in self.found and len(self.found) >= measures.MOST:
            self.left_out += 1
        else:
            self.found[name] = value


def read(form: str, lines: Iterable[str]) -> Reading:
    """The numbers in lines of ``logfmt``, ``openmetrics`` or ``json``; lines are counted from 1.

    In logfmt a line may be about something else, and in the others not: such a line is named.
    """
    reading, numbers_of = Reading(), _FORMATS[form]
    for number, line in enumerate(lines, start=1):
        try:
            for name, value in numbers_of(line):
                reading.add(name, value)
        except (ValueError, OverflowError, RecursionError) as error:
            why = str(error) if isinstance(error, _Wrong) else f"it is no {form}"
            reading.wrong.append(f"line {number}, {line.strip()[:_SHOWN]!r}: {why}")
    return reading


def _logfmt(line: str) -> Iterator[tuple[str, float]]:
    yield from measures.parse(line)


def _openmetrics(line: str) -> Iterator[tuple[str, float]]:
    """A sample of Prometheus' text format, which OpenMetrics' is but for what is not read here.

    https://prometheus.io/docs/specs/om/open_metrics_spec/#text-format
    """
    from prometheus_client.parser import text_string_to_metric_families

    for family in text_string_to_metric_families(line + "\n"):
        for sample in family.samples:
            labels = ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
            yield sample.name + (f"{{{labels}}}" if labels else ""), float(sample.value)


def _json(line: str) -> Iterator[tuple[str, float]]:
    """An object of numbers; those of an object in it have both names, with a dot between."""
    if not line.strip():
        return
    value = json.loads(line)
    if not isinstance(value, dict):
        raise _Wrong("it is no JSON object")
    yield from _flat(value, "", _DEEPEST)


def _flat(value: dict[str, Any], before: str, left: int) -> Iterator[tuple[str, float]]:
    for key, inner in value.items():
        if isinstance(inner, dict) and left:
            yield from _flat(inner, f"{before}{key}.", left - 1)
        elif isinstance(inner, int | float) and not isinstance(inner, bool):
            yield f"{before}{key}", float(inner)


_FORMATS: dict[str, Callable[[str], Iterator[tuple[str, float]]]] = {
    "logfmt": _logfmt, "openmetrics": _openmetrics, "json": _json,
}  # fmt: skip
FORMATS = (TERMINATION, *_FORMATS)
