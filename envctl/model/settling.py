"""How long a container must have run before its being ready is believed.

Kubernetes calls a container without a readiness probe ready the moment its process starts; one that
dies of its memory limit three seconds later was "available" until then. So what this run has
started, and nobody probes, must have run for a few seconds; and what has crashed before must
outlive the run that crashed. A container that its probe calls ready, and that never crashed, is
believed at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from envctl.model.objects import Obj, uid_of
from envctl.model.pods import containers

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The kinds whose pods are there to stay.
STAYING = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod"})
#: Seconds that a container without a readiness probe must have run.
WINDOW = 5.0
#: Seconds after which a container that has crashed before is believed at the latest.
MOST = 30.0
#: Seconds after which a container is not of this run's making, whatever the node's clock says.
OLD = 600.0


@dataclass(slots=True)
class Settling:
    """Since when each container's current run has been seen; times are monotonic seconds."""

    window: float = WINDOW
    seen: dict[tuple[str, str, int], float] = field(default_factory=dict)

    def see(self, pods: list[Obj], now: float) -> None:
        """Note the containers that run."""
        for pod in pods:
            for container, status in _running(pod):
                self.seen.setdefault(_which(pod, container, status), now)

    def left(self, pods: list[Obj], now: float, wall: datetime) -> float:
        """Seconds until the slowest of the pods' containers has run long enough; 0 when all have.

        ``wall`` is the time of day, which only tells what has been running for long.
        """
        self.see(pods, now)
        # A workload's status is behind its pods': it may be called available for a while after
        # its process has ended.
        if any(map(_has_ended, pods)):
            return self.window
        return max(
            (
                needed(container, status, self.window, wall)
                - (now - self.seen[_which(pod, container, status)])
                for pod in pods
                for container, status in _running(pod)
            ),
            default=0.0,
        )


def needed(container: Obj, status: Obj, window: float, wall: datetime) -> float:
    """Seconds that a running container must have run; 0 where it is believed as it is."""
    started = _time(((status.get("state") or {}).get("running") or {}).get("startedAt"))
    if not window or (started and (wall - started).total_seconds() > OLD):
        return 0.0
    if not status.get("restartCount"):
        return 0.0 if container.get("readinessProbe") else window
    last = (status.get("lastState") or {}).get("terminated") or {}
    began, ended = _time(last.get("startedAt")), _time(last.get("finishedAt"))
    lived = (ended - began).total_seconds() if began and ended else 0.0
    return min(MOST, window + max(0.0, lived))


def _has_ended(pod: Obj) -> bool:
    """Whether a container that is there to stay does not run now."""
    return (pod.get("status") or {}).get("phase") != "Succeeded" and any(
        stays and "running" not in (found.get("state") or {}) for found, stays in containers(pod)
    )


def _running(pod: Obj) -> Iterator[tuple[Obj, Obj]]:
    """The containers that run, native sidecars among them, each with its status."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    for kind in ("containers", "initContainers"):
        statuses = status.get(
            "containerStatuses" if kind == "containers" else "initContainerStatuses"
        )
        by_name = {found.get("name"): found for found in statuses or []}
        for container in spec.get(kind) or []:
            found = by_name.get(container.get("name")) or {}
            if "running" in (found.get("state") or {}):
                yield container, found


def _which(pod: Obj, container: Obj, status: Obj) -> tuple[str, str, int]:
    return uid_of(pod), str(container.get("name", "")), int(status.get("restartCount") or 0)


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None
