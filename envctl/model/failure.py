"""A failure explained: what failed, why, which lines and events prove it, what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from envctl.model.words import count

#: Objects with the same trouble that are named; the others are counted.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Culprit:
    """One object that is to blame; ``logs`` and ``events`` are its last lines, oldest first.

    ``also`` names the objects that fail for the same reason, so that twenty Deployments without
    the same Secret are one culprit.
    """

    object: str
    component: str
    reason: str
    message: str
    container: str = ""
    logs: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    next: str = ""
    also: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The culprit in the shape of the public JSON (docs/json.md)."""
        return {
            "object": self.object,
            "component": self.component,
            "container": self.container,
            "reason": self.reason,
            "message": ". ".join(
                part for part in (self.message.rstrip("."), self.others()) if part
            ),
            "logs": list(self.logs),
            "events": list(self.events),
        }

    def others(self) -> str:
        """Who else fails for the same reason, in words; empty where nobody does."""
        if not self.also:
            return ""
        fail = "fails" if len(self.also) == 1 else "fail"
        return f"{count(len(self.also), 'other')} {fail} for the same reason: {named(self.also)}"


@dataclass(frozen=True, slots=True)
class Failure:
    """The verdict in one sentence, who is to blame, and what to do next.

    ``dependants`` counts the components that only wait for a culprit; they are not listed.
    ``waiting`` names what had neither failed nor become ready when the run ended.
    """

    verdict: str
    culprits: tuple[Culprit, ...] = field(default=())
    next: str = ""
    dependants: int = 0
    waiting: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The failure in the shape of the public JSON (docs/json.md)."""
        return {
            "verdict": self.verdict,
            "culprits": [culprit.as_json() for culprit in self.culprits],
            "next": self.next,
            "dependants": self.dependants + len(self.waiting),
        }


def named(names: tuple[str, ...]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
