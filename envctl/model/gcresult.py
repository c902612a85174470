"""What gc ends with; the same data whether it is shown as a table, as logfmt or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.gc import Facts
    from envctl.model.result import StuckObject


@dataclass(frozen=True, slots=True)
class Entry:
    """An environment and what is said of it; ``kind`` is ``environment`` or ``leftovers``.

    Leftovers are of an environment whose namespace is gone: its lock, objects outside of it.
    """

    project: str
    name: str
    namespace: str
    why: str
    kind: str = "environment"

    @classmethod
    def of(cls, facts: Facts, why: str) -> Entry:
        """The entry of an environment."""
        return cls(facts.info.project, facts.info.name, facts.info.namespace, why)

    def as_json(self) -> dict[str, Any]:
        """One entry of the lists of ``gc``'s public JSON."""
        return {
            "project": self.project,
            "name": self.name,
            "namespace": self.namespace,
            "kind": self.kind,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one ended: ``word`` is ``deleted``, ``kept``, ``stuck`` or ``unknown``."""

    entry: Entry
    word: str
    stuck: tuple[StuckObject, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The entry, with what holds it where something does."""
        found = self.entry.as_json()
        if self.word == "stuck":
            found["stuck"] = [
                {
                    "object": s.object,
                    "finalizers": list(s.finalizers),
                    "controller": s.controller,
                    "next": s.next,
                }
                for s in self.stuck
            ]
        return found


@dataclass(frozen=True, slots=True)
class GcResult:
    """What a run of gc has done. ``would_delete`` is filled where it deletes nothing itself.

    ``refused`` is a sentence, or empty; ``limit`` how many environments it might delete at most.
    """

    outcomes: tuple[Outcome, ...]
    would_delete: tuple[Entry, ...]
    refused: str
    dry_run: bool
    seen: int
    limit: int
    warned: int
    seconds: float

    def of(self, word: str) -> Sequence[Outcome]:
        """The outcomes of that word, in order."""
        return [outcome for outcome in self.outcomes if outcome.word == word]

    @property
    def result(self) -> str:
        """How the run ended, in one word."""
        if self.refused:
            return "refused"
        for word in ("stuck", "unknown"):
            if self.of(word):
                return word
        return "dry-run" if self.dry_run else "succeeded"

    def counts(self) -> dict[str, int]:
        """How many environments ended how, every word always there."""
        counted = {word: len(self.of(word)) for word in ("deleted", "kept", "stuck", "unknown")}
        return counted | {"refused": len(self.would_delete) if self.refused else 0}

    def as_json(self) -> dict[str, Any]:
        """The public JSON of ``gc`` (docs/json.md)."""
        return {
            "result": self.result,
            "deleted": [outcome.as_json() for outcome in self.of("deleted")],
            "kept": [outcome.as_json() for outcome in self.of("kept")],
            "stuck": [outcome.as_json() for outcome in self.of("stuck")],
            "unknown": [outcome.as_json() for outcome in self.of("unknown")],
            "wouldDelete": [entry.as_json() for entry in self.would_delete],
            "refused": self.refused or None,
            "dryRun": self.dry_run,
            "seen": self.seen,
            "maxDelete": self.limit,
            "warned": self.warned,
            "seconds": round(self.seconds, 3),
        }
