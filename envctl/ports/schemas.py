"""What ``validate`` needs to judge an object without a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from envctl.model.objects import Obj


class Schemas(Protocol):
    """The published schemas of Kubernetes' own kinds."""

    def problem(self, obj: Obj) -> str:
        """What is wrong with the object, or an empty string; kinds without a schema pass."""
        ...
