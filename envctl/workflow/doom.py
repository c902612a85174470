"""Is there hope for a workload, by what its pods, their events and its neighbours say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from envctl.model import patience, references
from envctl.model.objects import POD, Obj, uid_of
from envctl.model.pods import troubles
from envctl.model.readiness import State

if TYPE_CHECKING:
    from envctl.model.trouble import Trouble
    from envctl.workflow.tracker import Tracker

#: A Job decides by itself how often a failing pod is worth another try.
_JOB_DECIDES = {"CrashLoopBackOff", "Error", "OOMKilled", "StartError", "ContainerCannotRun"}


class Asked(Protocol):
    """Pods, by their UID: those that can never run, and those whose references may yet come."""

    hopeless: set[str]
    excused: set[str]


def trouble_of(tracker: Tracker, workload: Obj) -> tuple[Obj, Trouble] | None:
    """The pod of the current revision with the worst trouble, or None."""
    found = _troubles(tracker, workload)
    found.sort(key=lambda pair: pair[1].state is not State.DOOMED)
    return found[0] if found else None


def _troubles(tracker: Tracker, workload: Obj) -> list[tuple[Obj, Trouble]]:
    found: list[tuple[Obj, Trouble]] = []
    for pod in pods_of(tracker, workload):
        events = tracker.events_of(uid_of(pod), pod["metadata"]["name"])
        others = (other for other in tracker.of_kind(POD) if uid_of(other) != uid_of(pod))
        limit = patience.crashes(pod, others)
        found += [(pod, trouble) for trouble in troubles(pod, events, limit)]
    return found


def pods_of(tracker: Tracker, workload: Obj) -> list[Obj]:
    """The pods of a workload's current revision that are there to stay."""
    pods = tracker.pods_of(workload)
    return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]


def doom(tracker: Tracker, workload: Obj, asked: Asked | None = None) -> bool:
    """Whether waiting for this workload is hopeless by what its pods and events say.

    ``asked`` is what was found out about its pods beside that.
    """
    is_job = workload.get("kind") == "Job"
    if (
        asked
        and not is_job
        and any(uid_of(p) in asked.hopeless for p in pods_of(tracker, workload))
    ):
        return True
    return any(
        trouble.state is State.DOOMED
        and not (is_job and trouble.reason in _JOB_DECIDES)
        and not (asked and trouble.reason == references.REASON and uid_of(pod) in asked.excused)
        for pod, trouble in _troubles(tracker, workload)
    )
