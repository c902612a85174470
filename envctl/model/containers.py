"""The containers of a pod that have, or had, something to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envctl.model.objects import Obj


@dataclass(frozen=True, slots=True)
class Container:
    """One container as the kubelet saw it last. ``id`` is another one after each restart."""

    name: str
    id: str
    running: bool
    restarts: int


def started(pod: Obj) -> list[Container]:
    """Those that run or have run, in the order in which a pod starts them."""
    return [container for container in map(_container, _statuses(pod)) if container.id]


def _statuses(pod: Obj) -> Iterator[dict[str, Any]]:
    status = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        yield from status.get(field) or []


def _container(status: dict[str, Any]) -> Container:
    state = status.get("state") or {}
    # Between two runs, while it waits, the status keeps the id of the last one.
    return Container(
        status.get("name", ""),
        status.get("containerID") or "",
        "running" in state,
        int(status.get("restartCount") or 0),
    )
