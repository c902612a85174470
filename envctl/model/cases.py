"""The tests inside a check, as JUnit's XML has them: which failed and why, and their numbers.

There is no one standard; what pytest, JUnit and most others write is in
https://github.com/testmoapp/junitxml. Numbers are properties of a suite or of a test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from envctl.model import measures

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.model.measures import Measures

#: Tests of one check that are kept: all of most, and enough of the others to find one's way.
MOST = 1000
#: Characters of a test's name, and of what it says for itself.
_NAME, _TEXT = 300, 16_000
_ENDS = {"failure": "failed", "error": "error", "skipped": "skipped"}


class NoReport(ValueError):
    """What is no JUnit XML, in words."""


@dataclass(frozen=True, slots=True)
class Case:
    """A test; ``outcome`` is ``passed``, ``failed``, ``error`` or ``skipped``."""

    group: str
    name: str
    outcome: str = "passed"
    seconds: float = 0.0
    message: str = ""
    text: str = ""

    @property
    def bad(self) -> bool:
        """Whether it says that something is wrong."""
        return self.outcome in ("failed", "error")

    @property
    def title(self) -> str:
        """Its name with that of its group."""
        return "::".join(part for part in (self.group, self.name) if part)

    def masked(self, mask: Callable[[str], str]) -> Case:
        """The same without what ``mask`` takes away."""
        return Case(
            mask(self.group), mask(self.name), self.outcome, self.seconds, mask(self.message),
            mask(self.text),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says; ``cases`` has the bad ones first, ``total`` counts all."""

    cases: tuple[Case, ...] = ()
    total: int = 0
    metrics: Measures = ()

    @property
    def bad(self) -> tuple[Case, ...]:
        """The tests that say that something is wrong."""
        return tuple(case for case in self.cases if case.bad)


def read(text: str) -> Report:
    """The tests of a report, in its order but for the bad ones; raises NoReport."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - bounded by the caller; expat bounds entities
    except ET.ParseError as error:
        raise NoReport(f"it is no XML: {error}") from error
    if root.tag not in ("testsuites", "testsuite"):
        raise NoReport(f"it begins with <{root.tag[:40]}>, not with <testsuites>")
    found = [_case(element) for element in root.iter("testcase")]
    ordered = sorted(found, key=lambda case: not case.bad)
    return Report(tuple(ordered[:MOST]), len(found), _numbers(root))


def _case(element: ET.Element) -> Case:
    outcome, message, text = "passed", "", ""
    for child in element:
        if child.tag in _ENDS:
            outcome = _ENDS[child.tag]
            text = "".join(child.itertext()).strip("\n")[-_TEXT:]
            said = (child.get("message") or text).strip().splitlines()
            message = said[0] if said else ""
    return Case(
        element.get("classname", "")[:_NAME], element.get("name", "")[:_NAME], outcome,
        _number(element.get("time", "")) or 0.0, " ".join(message.split())[:_TEXT], text,
    )  # fmt: skip


def _numbers(root: ET.Element) -> Measures:
    """Properties that are numbers, as many as a check may have; the last of a name counts."""
    found: dict[str, float] = {}
    for element in root.iter("property"):
        name, value = element.get("name", ""), _number(element.get("value", ""))
        if value is not None and name and (name in found or len(found) < measures.MOST):
            found[name[:120]] = value
    return tuple(found.items())


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
