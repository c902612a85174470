"""What stands in the way of an object: asked of live objects and events, judged by pure rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.model import claims, creation, definitions, nodes, owners, readiness, scheduling
from envctl.model.objects import REPLICA_SET, Key, Obj, uid_of

if TYPE_CHECKING:
    from envctl.model.obstacle import Obstacle
    from envctl.workflow.tracker import Tracker

_CLAIM = "PersistentVolumeClaim"
_DEFINITION = "CustomResourceDefinition"


def obstacle_of(tracker: Tracker, obj: Obj) -> Obstacle | None:
    """Why an object that is not ready is not, unless its containers are the reason."""
    if obj.get("kind") == _CLAIM:
        return _claim(tracker, obj["metadata"]["name"], obj)
    if obj.get("kind") == _DEFINITION:
        return definitions.obstacle_of(obj)
    pods = _pods(tracker, obj)
    for pod in pods:
        found = _placement(tracker, pod)
        if found:
            return found
    if len(pods) >= _wanted(obj):
        return None
    refused = refusals(tracker, obj)
    return creation.obstacle_of(refused[-1]) if refused else None


def refusals(tracker: Tracker, workload: Obj) -> list[str]:
    """What the controller was told when it tried to create pods, oldest first."""
    makers = [workload]
    if workload.get("kind") == "Deployment":
        makers += owners.current_replica_sets(workload, tracker.owned_by(workload, REPLICA_SET))
    said = [
        str(event.get("message", ""))
        for maker in makers
        for event in tracker.events_of(uid_of(maker), maker["metadata"]["name"])
        if event.get("reason") == "FailedCreate"
    ]
    conditions = (readiness.conditions(maker).get("ReplicaFailure", {}) for maker in makers)
    said += [str(c.get("message", "")) for c in conditions if c.get("status") == "True"]
    return said


def _pods(tracker: Tracker, workload: Obj) -> list[Obj]:
    found = tracker.pods_of(workload)
    return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]


def _wanted(workload: Obj) -> int:
    """Pods that the controller makes at once, at least."""
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if workload.get("kind") == "DaemonSet":
        return int(status.get("desiredNumberScheduled", 0))
    if workload.get("kind") == "Job":
        return 1
    return int(spec.get("replicas", 1) or 0)


def _placement(tracker: Tracker, pod: Obj) -> Obstacle | None:
    events = tracker.all_events_of(uid_of(pod))
    message = scheduling.unscheduled(pod)
    if message is None:
        return nodes.obstacle_of(pod, events)
    for name in claims.of_pod(pod):
        found = _claim(tracker, name, None)
        if found:
            return found
    return scheduling.obstacle_of(pod, message, events)


def _claim(tracker: Tracker, name: str, claim: Obj | None) -> Obstacle | None:
    known = claim or tracker.objects.get(Key("", _CLAIM, tracker.namespace, name))
    if known is not None and (known.get("status") or {}).get("phase") == "Bound":
        return None
    events = [
        event
        for event in tracker.events.values()
        if event["involvedObject"].get("kind") == _CLAIM
        and event["involvedObject"].get("name") == name
        and (known is None or event["involvedObject"].get("uid") == uid_of(known))
    ]
    return claims.obstacle_of(name, known, events)


@dataclass(slots=True)
class Patience:
    """Since when each obstacle has been there, and whether that is too long by now."""

    _since: dict[tuple[Key, str], float] = field(default_factory=dict)
    _ends: dict[Key, float] = field(default_factory=dict)

    def lost(self, key: Key, found: Obstacle | None, now: float) -> bool:
        """Whether the object is to be given up; forgets its obstacles of another kind."""
        reason = found.reason if found else ""
        for other in [k for k in self._since if k[0] == key and k[1] != reason]:
            del self._since[other]
        self._ends.pop(key, None)
        if found is None or found.patience is None:
            return False
        end = self._since.setdefault((key, reason), now) + found.patience
        self._ends[key] = end
        return now >= end

    def next(self, now: float) -> float | None:
        """Seconds until somebody has to look again, though nothing may have changed."""
        return max(0.0, min(self._ends.values()) - now) if self._ends else None
