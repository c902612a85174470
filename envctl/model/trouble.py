"""What keeps a pod from being ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envctl.model.readiness import State


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a pod is not ready. ``container`` is empty where the whole pod is meant.

    ``previous`` says that the log to read is that of the container's run before this one.
    """

    state: State
    reason: str
    message: str
    container: str = ""
    previous: bool = False
    next: str = ""
