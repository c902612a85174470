"""What CustomResourceDefinitions define, and why one is not established and never will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import obstacle
from envctl.model.obstacle import Obstacle
from envctl.model.readiness import conditions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.objects import Obj


def kinds(objects: Iterable[Obj]) -> set[tuple[str, str]]:
    """Group and kind of what definitions among the objects define: it may not be served yet."""
    specs = [o.get("spec") or {} for o in objects if o.get("kind") == "CustomResourceDefinition"]
    return {(str(s.get("group")), str((s.get("names") or {}).get("kind"))) for s in specs}


def obstacle_of(definition: Obj) -> Obstacle | None:
    """Names that another definition of its group has already; None where it has its own."""
    names = conditions(definition).get("NamesAccepted", {})
    if names.get("status") != "False":
        return None
    return Obstacle(
        "NamesTaken",
        "another CustomResourceDefinition has its names: "
        f"{names.get('message') or names.get('reason', '')}",
        "Give it other names, or delete the other definition: kubectl get crd.",
        obstacle.FINAL,
    )
