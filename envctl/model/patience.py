"""How often a container may end before it is given up.

Many programs wait for their database by dying. The kubelet restarts them after about 1, 10 and 20
seconds and then ever more slowly: the third end comes some 15 seconds after the first start.
That is enough where everything else of the environment is there; while something is still coming,
or has come since the program died last, it gets more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.pods import containers, ends_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envctl.model.objects import Obj

CRASHES = 3
#: While other pods of the environment are still on their way.
PATIENT_CRASHES = 5


def crashes(pod: Obj, others: Iterable[Obj]) -> int:
    """The end of one of the pod's containers with which it is given up."""
    died = max(_finished(pod), default="")
    if not died:
        return CRASHES
    waits = any(_coming(other) or _came(other) >= died for other in others)
    return PATIENT_CRASHES if waits else CRASHES


def _coming(pod: Obj) -> bool:
    """Whether a pod is on its way: not there yet, and not failing either."""
    status, conditions = pod.get("status") or {}, _conditions(pod)
    if status.get("phase") not in ("Pending", "Running"):
        return False
    unscheduled = conditions.get("PodScheduled", {}).get("status") == "False"
    if unscheduled or _failing(pod) or pod["metadata"].get("deletionTimestamp"):
        return False
    return _is_work(pod) or conditions.get("Ready", {}).get("status") != "True"


def _came(pod: Obj) -> str:
    """When a pod became what it is for, RFC 3339 by the node's clock; empty where it is not."""
    if (pod.get("status") or {}).get("phase") == "Succeeded":
        return max(_finished(pod), default="")
    ready = _conditions(pod).get("Ready", {})
    if ready.get("status") != "True" or _failing(pod) or _is_work(pod):
        return ""
    return str(ready.get("lastTransitionTime") or "")


def _failing(pod: Obj) -> bool:
    """Whether one of its containers has ended that should not have, or cannot be started."""
    return any(
        (stays and ends_of(status))
        or ((status.get("state") or {}).get("terminated") or {}).get("exitCode")
        or ((status.get("lastState") or {}).get("terminated") or {}).get("exitCode")
        or ((status.get("state") or {}).get("waiting") or {}).get("message")
        for status, stays in containers(pod)
    )


def _is_work(pod: Obj) -> bool:
    """Whether it is a Job's: what it is for is done when it has ended."""
    return any(o.get("kind") == "Job" for o in pod["metadata"].get("ownerReferences") or [])


def _conditions(pod: Obj) -> dict[str, Obj]:
    return {c.get("type", ""): c for c in (pod.get("status") or {}).get("conditions") or []}


def _finished(pod: Obj) -> Iterator[str]:
    """When its containers ended, as far as they did; all by one clock and in one format."""
    for status, _ in containers(pod):
        for when in ("state", "lastState"):
            ended = (status.get(when) or {}).get("terminated") or {}
            if ended.get("finishedAt"):
                yield str(ended["finishedAt"])
