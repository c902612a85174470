"""Which component an object belongs to: by its label, by the record, by Helm's label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model.environment import COMPONENT
from envctl.model.objects import Key, Obj, key_of, labels_of
from envctl.model.record import GUARDRAILS

if TYPE_CHECKING:
    from envctl.model.record import Record

INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True, slots=True)
class Members:
    """The components of an environment, and the objects that each is known to have deployed."""

    names: frozenset[str]
    inventory: dict[Key, str]

    def of(self, obj: Obj) -> str:
        """The component's name, or empty where the object itself does not tell."""
        labels = labels_of(obj)
        if COMPONENT in labels:
            return labels[COMPONENT]
        known = self.inventory.get(key_of(obj))
        if known is not None:
            return known
        instance = labels.get(INSTANCE, "")
        return instance if instance in self.names else ""


def members(record: Record) -> Members:
    """What a record says; a check counts as a component of its own, as its Job is."""
    components = {n: d for n, d in record.components.items() if n != GUARDRAILS}
    inventory = {e.key: name for name, d in components.items() for e in d.entries}
    return Members(frozenset({*components, *record.checks}), inventory)


def controller_of(obj: Obj) -> tuple[str, str, str] | None:
    """apiVersion, kind and name of what made the object; None where nothing did."""
    references = obj.get("metadata", {}).get("ownerReferences") or []
    ordered = sorted(references, key=lambda reference: not reference.get("controller"))
    if not ordered:
        return None
    first = ordered[0]
    return first.get("apiVersion", ""), first.get("kind", ""), first.get("name", "")
