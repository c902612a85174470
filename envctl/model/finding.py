"""What ``doctor`` finds: one sentence each, and what to do where something is wrong."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envctl.errors import EnvctlError


class Verdict(enum.StrEnum):
    """``WARN`` matters to some environments only; ``FAIL`` keeps every ``up`` from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``next`` is empty where nothing is to be done."""

    name: str
    result: Verdict
    detail: str
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """One entry of ``doctor``'s public JSON (docs/json.md)."""
        return {
            "name": self.name,
            "result": str(self.result),
            "detail": self.detail,
            "next": self.next,
        }


def ok(name: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(name, Verdict.OK, detail)


def warn(name: str, detail: str, next: str) -> Finding:
    """Some environments will miss it."""
    return Finding(name, Verdict.WARN, detail, next)


def fail(name: str, detail: str, next: str) -> Finding:
    """Nothing works without it."""
    return Finding(name, Verdict.FAIL, detail, next)


def failed(name: str, error: EnvctlError) -> Finding:
    """An error in the words it has already."""
    return fail(name, f"{error.what} {error.why}".strip(), error.next)
