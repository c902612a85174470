"""What a pod's status and its events mean: what it waits for, and when that is hopeless.

Reasons are the kubelet's (k8s.io/kubernetes/pkg/kubelet/events, images/types.go). A pod is called
doomed only when the kubelet's own words leave no hope, or when its process has failed more often
than one that merely waits for its database would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.model.readiness import State

if TYPE_CHECKING:
    from envctl.model.objects import Obj

#: Restarts after which a crashing container is given up. The kubelet restarts at about 2, 15 and
#: 41 s: a process that only waits for its database has had most of a minute.
CRASHES = 3
#: The same for an exit that waiting cannot mend: a missing file or a program of another machine.
FATAL_CRASHES = 2
_FATAL_EXITS = {126: "its command cannot be executed", 127: "its command does not exist"}
_HOPELESS_PULL = (
    "not found", "denied", "unauthorized", "no match for platform", "manifest unknown",
    "does not exist", "insufficient_scope", "invalid reference",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a pod is not ready. ``container`` is empty where the whole pod is meant."""

    state: State
    reason: str
    message: str
    container: str = ""
    previous: bool = False
    next: str = ""


def troubles(pod: Obj, events: list[Obj]) -> list[Trouble]:
    """Everything that keeps a pod from being ready, the most telling first."""
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded":
        return []
    if status.get("phase") == "Failed" and not status.get("containerStatuses"):
        return [_failed_pod(status)]
    found = [t for t in map(_container, _statuses(status)) if t]
    scheduled = _unscheduled(status)
    if scheduled:
        found.append(scheduled)
    found += _from_events(events, found)
    found.sort(key=lambda trouble: trouble.state is not State.DOOMED)
    return found


def _statuses(status: Obj) -> list[Obj]:
    inits = status.get("initContainerStatuses") or []
    return [*inits, *(status.get("containerStatuses") or [])]


def _failed_pod(status: Obj) -> Trouble:
    reason = status.get("reason") or "Failed"
    # Evicted and preempted pods are replaced by their controller: that is not the pod's fault.
    state = State.WAITING if reason in ("Evicted", "Preempting", "Preempted") else State.DOOMED
    return Trouble(state, reason, status.get("message") or "the pod failed")


def _container(status: Obj) -> Trouble | None:
    name = status.get("name", "")
    state = status.get("state") or {}
    last = (status.get("lastState") or {}).get("terminated")
    ended = state.get("terminated")
    if ended and ended.get("exitCode", 0) != 0:
        return _crash(name, status, ended, previous=False)
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _WAITING_RULES:
        return _WAITING_RULES[reason](name, reason, message)
    # In a back-off an exit with code 0 is as bad: the program ends where it should go on.
    looping = reason == "CrashLoopBackOff"
    if last and (last.get("exitCode", 0) != 0 or looping) and not status.get("ready"):
        return _crash(name, status, last, previous=True)
    if state.get("running") and not status.get("ready") and not ended:
        return Trouble(State.WAITING, "NotReady", "its readiness probe has not succeeded", name)
    return None


def _crash(name: str, status: Obj, ended: dict[str, Any], *, previous: bool) -> Trouble:
    code, restarts = int(ended.get("exitCode", 0)), int(status.get("restartCount", 0))
    if ended.get("reason") == "OOMKilled":
        return Trouble(
            State.DOOMED if restarts >= FATAL_CRASHES else State.WAITING,
            "OOMKilled",
            f"it used more memory than its limit and was killed ({_times(restarts)})",
            name,
            previous,
            "Raise the container's memory limit, or make it use less.",
        )
    if ended.get("reason") == "StartError" or code in _FATAL_EXITS:
        message = ended.get("message") or _FATAL_EXITS.get(code, "")
        return Trouble(
            State.DOOMED,
            ended.get("reason") or "Error",
            f"it cannot start (exit code {code}): {message}",
            name,
            previous,
            "Correct the container's command or its image.",
        )
    return Trouble(
        State.DOOMED if restarts >= CRASHES else State.WAITING,
        "CrashLoopBackOff" if restarts else ended.get("reason") or "Error",
        f"its process ended with exit code {code} ({_times(restarts)})",
        name,
        previous,
        "Read its log above; `envctl logs --previous` shows all of it.",
    )


def _times(restarts: int) -> str:
    return "restarted once" if restarts == 1 else f"restarted {restarts} times"


def _pull(name: str, reason: str, message: str) -> Trouble:
    hopeless = any(word in message.lower() for word in _HOPELESS_PULL)
    return Trouble(
        State.DOOMED if hopeless else State.WAITING,
        reason,
        f"its image cannot be pulled: {message}" if message else "its image cannot be pulled",
        name,
        next="Check the image's name and tag, that it was pushed, and the pull secret.",
    )


def _bad_name(name: str, reason: str, message: str) -> Trouble:
    return Trouble(
        State.DOOMED, reason, message or "its image's name is not valid", name,
        next="Correct the image's name.",
    )  # fmt: skip


def _config(name: str, reason: str, message: str) -> Trouble:
    transient = "failed to sync" in message and "cache" in message
    return Trouble(
        State.WAITING if transient else State.DOOMED,
        reason,
        f"it cannot be created: {message}",
        name,
        next="Create the ConfigMap, Secret or key that it names, or correct the reference.",
    )


def _run(name: str, reason: str, message: str) -> Trouble:
    return Trouble(
        State.DOOMED, reason, f"it cannot be started: {message}", name,
        next="Correct the container's command, mounts or image.",
    )  # fmt: skip


def _never(name: str, reason: str, message: str) -> Trouble:
    return Trouble(
        State.DOOMED, reason, message or "its image is not on the node and must not be pulled",
        name, next="Load the image onto the node, or set imagePullPolicy to IfNotPresent.",
    )  # fmt: skip


_WAITING_RULES = {
    "ImagePullBackOff": _pull,
    "ErrImagePull": _pull,
    "InvalidImageName": _bad_name,
    "ErrImageNeverPull": _never,
    "CreateContainerConfigError": _config,
    "CreateContainerError": _run,
    "RunContainerError": _run,
}


def _unscheduled(status: Obj) -> Trouble | None:
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            # An autoscaler may bring a node: the component's own timeout decides.
            return Trouble(
                State.WAITING,
                condition.get("reason") or "Unschedulable",
                f"no node takes it: {condition.get('message', '')}",
                next="Ask for less, or for what a node of this cluster has.",
            )
    return None


def _from_events(events: list[Obj], found: list[Trouble]) -> list[Trouble]:
    """What only an event says: a volume whose Secret is missing gives no container reason."""
    if any(trouble.state is State.DOOMED for trouble in found):
        return []
    extra = []
    for event in events:
        reason, message = event.get("reason", ""), event.get("message", "")
        if reason in ("FailedMount", "FailedAttachVolume"):
            extra.append(
                Trouble(
                    State.WAITING,
                    reason,
                    message,
                    next="Create what the volume names, or correct the reference.",
                )
            )
        elif reason in ("FailedCreatePodSandBox", "NetworkNotReady"):
            extra.append(Trouble(State.WAITING, reason, message))
        elif reason == "Unhealthy" and not any(t.reason == "Unhealthy" for t in extra):
            extra.append(Trouble(State.WAITING, reason, message, _container_of(event)))
    return extra[-2:]


def _container_of(event: Obj) -> str:
    path = (event.get("involvedObject") or {}).get("fieldPath", "")
    return path.partition("{")[2].rstrip("}") if "{" in path else ""
