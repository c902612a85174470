"""What an APIService, by which another server serves a part of the API, says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.readiness import conditions, is_true
from envctl.model.shapes import mapping

if TYPE_CHECKING:
    from envctl.model.objects import Obj

_AVAILABLE = "Available"


def is_dead(service: Obj) -> bool:
    """Whether what it leads to does not answer."""
    return not is_true(service, _AVAILABLE)


def why(service: Obj) -> str:
    """What the API server says of it."""
    said = conditions(service).get(_AVAILABLE, {})
    return str(said.get("message") or said.get("reason") or "it has not answered yet")


def behind(service: Obj) -> str:
    """The Service that should serve it, and where that is."""
    found = mapping(mapping(service.get("spec")).get("service"))
    return f"Service/{found.get('name', '')} in {found.get('namespace', '')}"
