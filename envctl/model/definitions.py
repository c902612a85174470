"""Why a CustomResourceDefinition is not established, and never will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import obstacle
from envctl.model.obstacle import Obstacle
from envctl.model.readiness import conditions

if TYPE_CHECKING:
    from envctl.model.objects import Obj


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
