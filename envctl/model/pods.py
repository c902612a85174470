"""What a pod's status and its events mean: what it waits for, and when that is hopeless.

Reasons are the kubelet's (k8s.io/kubernetes/pkg/kubelet/events, images/types.go). A pod is called
doomed only when the kubelet's own words leave no hope, or when its process has failed more often
than one that merely waits for its database would.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from envctl.model import probes
from envctl.model.readiness import State
from envctl.model.trouble import Trouble

if TYPE_CHECKING:
    from envctl.model.objects import Obj

#: Ends after which a container is given up that uses more memory than it may.
OUT_OF_MEMORY = 2
_ENDED = ("Error", "Completed", "CrashLoopBackOff")
_FATAL_EXITS = {126: "its command cannot be executed", 127: "its command does not exist"}
_UNREACHABLE = ("connection refused", "no such host", "i/o timeout", "network is unreachable")
_HOPELESS_PULL = (
    "not found", "denied", "unauthorized", "no match for platform", "manifest unknown",
    "does not exist", "insufficient_scope", "invalid reference",
)  # fmt: skip


def troubles(pod: Obj, events: list[Obj], crashes: int = 3) -> list[Trouble]:
    """Everything that keeps a pod from being ready, the most telling first.

    ``crashes`` is the end with which a container is given up (``envctl.model.patience``).
    """
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded":
        return []
    if status.get("phase") == "Failed" and not status.get("containerStatuses"):
        return [_failed_pod(status)]
    found = [t for c in containers(pod) if (t := _container(*c, events, crashes))]
    scheduled = _unscheduled(status)
    if scheduled:
        found.append(scheduled)
    found += _from_events(events, found)
    found.sort(key=lambda trouble: trouble.state is not State.DOOMED)
    return found


def containers(pod: Obj) -> list[tuple[Obj, bool]]:
    """Each container's status, and whether the container is there to stay: 0 is no good end."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = {
        found.get("name")
        for found in spec.get("initContainers") or []
        if found.get("restartPolicy") == "Always"
    }
    stays = spec.get("restartPolicy", "Always") == "Always"
    inits = [(s, s.get("name") in sidecars) for s in status.get("initContainerStatuses") or []]
    return [*inits, *((s, stays) for s in status.get("containerStatuses") or [])]


def _failed_pod(status: Obj) -> Trouble:
    reason = status.get("reason") or "Failed"
    # Evicted and preempted pods are replaced by their controller: that is not the pod's fault.
    state = State.WAITING if reason in ("Evicted", "Preempting", "Preempted") else State.DOOMED
    return Trouble(state, reason, status.get("message") or "the pod failed")


def ended(pod: Obj) -> list[tuple[str, bool]]:
    """The containers that have ended badly, and whether the log to read is of their last run."""
    found = [_container(*each, [], 1) for each in containers(pod)]
    return [(t.container, t.previous) for t in found if t and t.reason in _ENDED]


def ends_of(status: Obj) -> int:
    """How often a container has ended: each restart follows an end, and the last may be now."""
    running = "running" in (status.get("state") or {})
    ended = bool((status.get("lastState") or status.get("state") or {}).get("terminated"))
    return int(status.get("restartCount", 0)) + (1 if ended and not running else 0)


def _container(status: Obj, stays: bool, events: list[Obj], crashes: int) -> Trouble | None:
    name = status.get("name", "")
    state = status.get("state") or {}
    last = (status.get("lastState") or {}).get("terminated")
    ended = state.get("terminated")
    if ended and (stays or ended.get("exitCode", 0) != 0):
        return _crash(status, ended, events, crashes, previous=False)
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _WAITING_RULES:
        return _WAITING_RULES[reason](name, reason, message)
    if last and (stays or last.get("exitCode", 0) != 0) and not status.get("ready"):
        return _crash(status, last, events, crashes, previous=True)
    if "running" in state and not status.get("ready"):
        unready = Trouble(State.WAITING, "NotReady", "its readiness probe has not succeeded", name)
        return probes.of_unready(unready, events)
    return None


def _crash(
    status: Obj, ended: dict[str, Any], events: list[Obj], crashes: int, *, previous: bool
) -> Trouble:
    code, restarts = int(ended.get("exitCode", 0)), int(status.get("restartCount", 0))
    ends, times = ends_of(status), _times(restarts)
    trouble = Trouble(
        State.DOOMED if ends >= crashes else State.WAITING,
        "CrashLoopBackOff" if restarts else ended.get("reason") or "Error",
        f"its process ended with exit code {code} ({times})",
        status.get("name", ""),
        previous,
        "Read its log above; `envctl logs --previous` shows all of it.",
    )
    if ended.get("reason") == "OOMKilled":
        return replace(
            trouble,
            state=State.DOOMED if ends >= OUT_OF_MEMORY else State.WAITING,
            reason="OOMKilled",
            message=f"it used more memory than its limit and was killed ({times})",
            next="Raise the container's memory limit, or make it use less.",
        )
    if ended.get("reason") == "StartError" or code in _FATAL_EXITS:
        message = ended.get("message") or _FATAL_EXITS.get(code, "")
        return replace(
            trouble,
            state=State.DOOMED,
            reason=ended.get("reason") or "Error",
            message=f"it cannot start (exit code {code}): {message}",
            next="Correct the container's command or its image.",
        )
    return probes.of_crash(trouble, events, code, times)


def _times(restarts: int) -> str:
    if not restarts:
        return "it was not restarted"
    return "restarted once" if restarts == 1 else f"restarted {restarts} times"


def _pull(name: str, reason: str, message: str) -> Trouble:
    advice = "Check the image's name and tag, that it was pushed, and the pull secret."
    if "no match for platform" in message:
        advice = "Build the image for the node's processor, too."
    elif any(word in message for word in _UNREACHABLE):
        advice = "Check the registry's address, and whether the node can reach it."
    hopeless = any(word in message.lower() for word in _HOPELESS_PULL)
    return Trouble(
        State.DOOMED if hopeless else State.WAITING,
        reason,
        f"its image cannot be pulled: {message}" if message else "its image cannot be pulled",
        name,
        next=advice,
    )


def _bad_name(name: str, reason: str, message: str) -> Trouble:
    return Trouble(
        State.DOOMED, reason, message or "its image's name is not valid", name,
        next="Correct the image's name.",
    )  # fmt: skip


def _config(name: str, reason: str, message: str) -> Trouble:
    advice = "Create the ConfigMap, Secret or key that it names, or correct the reference."
    if "runAsNonRoot" in message or "non-root" in message:
        advice = "Set runAsUser to a number that is not 0, or build the image with such a USER."
    transient = "failed to sync" in message and "cache" in message
    return Trouble(
        State.WAITING if transient else State.DOOMED,
        reason,
        f"it cannot be created: {message}",
        name,
        next=advice,
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
    extra, named = [], {trouble.container for trouble in found}
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
        elif reason == "Unhealthy" and not named & {_container_of(event), ""}:
            named.add("")
            extra.append(Trouble(State.WAITING, reason, message, _container_of(event)))
    return extra[-2:]


def _container_of(event: Obj) -> str:
    path = (event.get("involvedObject") or {}).get("fieldPath", "")
    return path.partition("{")[2].rstrip("}") if "{" in path else ""
