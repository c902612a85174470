"""A failure explained: what failed, why, which lines and events prove it, what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Culprit:
    """One object that is to blame; ``logs`` and ``events`` are its last lines, oldest first."""

    object: str
    component: str
    reason: str
    message: str
    container: str = ""
    logs: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """The culprit in the shape of the public JSON (docs/json.md)."""
        return {
            "object": self.object,
            "component": self.component,
            "container": self.container,
            "reason": self.reason,
            "message": self.message,
            "logs": list(self.logs),
            "events": list(self.events),
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """The verdict in one sentence, who is to blame, and what to do next.

    ``dependants`` counts the components that only wait for a culprit; they are not listed.
    """

    verdict: str
    culprits: tuple[Culprit, ...] = field(default=())
    next: str = ""
    dependants: int = 0

    def as_json(self) -> dict[str, Any]:
        """The failure in the shape of the public JSON (docs/json.md)."""
        return {
            "verdict": self.verdict,
            "culprits": [culprit.as_json() for culprit in self.culprits],
            "next": self.next,
            "dependants": self.dependants,
        }
