"""What a pod's time went into until it was ready: scheduling, init, pull, start, readiness, or run.

Read from its conditions, its containers' states and the kubelet's ``Pulled`` events. Kubernetes
writes them in whole seconds, so a phase is exact to about a second; a pull's length is the one that
the kubelet measured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.objects import Obj

#: `Successfully pulled image "x" in 1.234s (1.3s including waiting). …` (pkg/kubelet/images).
_PULLED = re.compile(r'image "([^"]{1,500})" in ([0-9hmsµun.]{1,30})')
_PART = re.compile(r"([0-9.]+)(h|ms|m|s|µs|us|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class PodPhase:
    """A stretch of a pod's life, by the cluster's clock; ``name`` says of what, beside the pod."""

    kind: str
    name: str
    began: datetime
    ended: datetime


def phases(pod: Obj, events: Iterable[Obj]) -> list[PodPhase]:
    """The phases that are over, in their order; what cannot be read is left out."""
    created = _time(pod.get("metadata", {}).get("creationTimestamp"))
    scheduled, initialized = _since(pod, "PodScheduled"), _since(pod, "Initialized")
    ready, started = _since(pod, "Ready"), _started(pod)
    pulls = [pull for event in events if (pull := _pull(event))]
    begin, first = scheduled, [_phase("scheduling", created, scheduled), *pulls]
    if (pod.get("spec") or {}).get("initContainers"):
        first.append(_phase("init", scheduled, initialized))
        begin = initialized
    last_pull = max((pull.ended for pull in pulls), default=None)
    if begin is not None and last_pull is not None:
        begin = max(begin, last_pull)
    last = _phase("run", started, _finished(pod)) or _phase("readiness", started, ready)
    found = [*first, _phase("start", begin, started), last]
    return [phase for phase in found if phase is not None]


def _phase(kind: str, began: datetime | None, ended: datetime | None) -> PodPhase | None:
    if began is None or ended is None or ended < began:
        return None
    return PodPhase(kind, "", began, ended)


def _since(pod: Obj, wanted: str) -> datetime | None:
    """When a condition became true."""
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition.get("type") == wanted and condition.get("status") == "True":
            return _time(condition.get("lastTransitionTime"))
    return None


def _finished(pod: Obj) -> datetime | None:
    """When the last container of a pod that is over ended."""
    status = pod.get("status") or {}
    if status.get("phase") not in ("Succeeded", "Failed"):
        return None
    ends = [
        _time(((found.get("state") or {}).get("terminated") or {}).get("finishedAt"))
        for found in status.get("containerStatuses") or []
    ]
    return max((end for end in ends if end is not None), default=None)


def _started(pod: Obj) -> datetime | None:
    """When the last of its containers started."""
    moments = []
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        state = status.get("state") or {}
        moments.append(
            _time((state.get("running") or state.get("terminated") or {}).get("startedAt"))
        )
    found = [moment for moment in moments if moment is not None]
    return max(found) if found and len(found) == len(moments) else None


def _pull(event: Obj) -> PodPhase | None:
    """A pull, by its event: the kubelet says how long it took when it is over."""
    if event.get("reason") != "Pulled":
        return None
    match = _PULLED.search(str(event.get("message", "")))
    ended = _time(event.get("lastTimestamp") or event.get("eventTime"))
    if match is None or ended is None:
        return None
    return PodPhase("pull", match[1], ended - timedelta(seconds=_duration(match[2])), ended)


def _duration(text: str) -> float:
    """Seconds of a Go duration; nonsense is none."""
    try:
        return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    except ValueError:
        return 0.0


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
