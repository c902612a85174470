"""Why no node takes a pod: the scheduler's message in words, and how long a node may take to come.

The sentences are those of k8s.io/kubernetes/pkg/scheduler/framework/plugins.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envctl.model import obstacle
from envctl.model.objects import Obj, containers
from envctl.model.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Events by which the cluster's, Karpenter's and others' autoscalers say that a node is coming.
_COMING = frozenset({"TriggeredScaleUp", "Nominated", "NominatedNode"})
_SHORT = re.compile(r"Insufficient ([\w./-]+)")
_TAINT = re.compile(r"untolerated taint(?:\(s\))?(?: \{([^}]*)\})?")
_CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" not found')
_TAIL = re.compile(r"\s*(preemption: .*|no new claims to deallocate.*)$")
#: How versions of the scheduler say that the volume lies in another zone.
_ELSEWHERE = ("volume node affinity conflict", "match PersistentVolume's node affinity")
#: What keeps ordinary pods from nodes of the control plane: nobody is told to tolerate that.
_ORDINARY = ("node-role.kubernetes.io/",)
#: What the node's own controllers put on a node that does not answer.
_DEAD = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def unscheduled(pod: Obj) -> str | None:
    """The scheduler's word on a pod that no node takes; None where one has, or it has not tried."""
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _TAIL.sub("", str(condition.get("message") or "")).rstrip(". ")
    return None


def obstacle_of(pod: Obj, message: str, events: Iterable[Obj]) -> Obstacle:
    """Why no node takes the pod; ``events`` are the pod's, of every type."""
    said = next((e for e in events if e.get("reason") in _COMING), None)
    why, advice = _cause(pod, message)
    words = f"no node takes its pod: {why}" if why else f"no node takes its pod: {message}"
    if said is not None:
        return Obstacle("Unschedulable", f"{words}; an autoscaler is bringing one", advice)
    gates = (pod.get("spec") or {}).get("schedulingGates")
    return Obstacle("Unschedulable", words, advice, None if gates else _patience(message))


def _patience(message: str) -> float:
    if _CLAIM.search(message):
        return obstacle.MISSING
    return obstacle.VOLUME if "unbound immediate" in message else obstacle.NODE


def _cause(pod: Obj, message: str) -> tuple[str, str]:
    """The first thing that somebody can change, in words, and what to do about it."""
    spec = pod.get("spec") or {}
    claim = _CLAIM.search(message)
    if claim:
        return (
            f"PersistentVolumeClaim/{claim[1]} does not exist",
            f"Create PersistentVolumeClaim/{claim[1]}, or correct the name in the pod's volumes.",
        )
    if "unbound immediate" in message:
        return "its PersistentVolumeClaim is not bound", "See why the claim is not bound."
    if any(words in message for words in _ELSEWHERE):
        return (
            f"its volume lies where no node is that could take it ({message})",
            "Add a node in the volume's zone, or delete the claim so that a new volume is made.",
        )
    short = _SHORT.findall(message)
    if short:
        return _too_little(spec, short, message)
    if "node affinity/selector" in message:
        return _not_chosen(spec, message)
    return _other(message)


def _not_chosen(spec: Obj, message: str) -> tuple[str, str]:
    """The scheduler looks at a node's taints first, and does not say which one is chosen."""
    wanted = ", ".join(f"{k}={v}" for k, v in (spec.get("nodeSelector") or {}).items())
    what = f"no node has {wanted}" if wanted else "its node affinity matches no node"
    taint = _TAINT.search(message)
    name = (taint[1] or "").strip(" :") if taint else ""
    if not taint or name.startswith((*_DEAD, *_ORDINARY)):
        return f"{what} ({message})", "Label a node, or correct nodeSelector or affinity."
    called = f"taint {name}".strip()
    return (
        f"{what}, or it does not tolerate the {called} of the one that has ({message})",
        f"Label a node, correct nodeSelector or affinity, or tolerate the {called}.",
    )


def _too_little(spec: Obj, short: list[str], message: str) -> tuple[str, str]:
    names = list(dict.fromkeys(short))
    asked = "; ".join(f"{name} {_requests(spec, name)}" for name in names)
    special = next((name for name in names if "/" in name), "")
    advice = (
        f"Add a node with {special}, or do not ask for it."
        if special
        else f"Ask for less {' and '.join(names)}, or add a node."
    )
    return f"none has what it asks for, {asked} ({message})", advice


def _requests(spec: Obj, name: str) -> str:
    found = [
        str(value)
        for container in containers(spec)
        if (value := ((container.get("resources") or {}).get("requests") or {}).get(name))
    ]
    return " + ".join(found)


def _other(message: str) -> tuple[str, str]:
    taint = _TAINT.search(message)
    if taint:
        name = (taint[1] or "").strip(" :")
        if name.startswith(_DEAD):
            return (
                f"the node does not answer ({message})",
                "Bring the node back: kubectl get nodes.",
            )
        return (
            f"the nodes are tainted and it does not tolerate that ({message})",
            f"Add a toleration{f' for {name}' if name else ''} to the pod, or remove the taint.",
        )
    if "were unschedulable" in message:
        return f"the nodes are cordoned ({message})", "Uncordon a node: kubectl uncordon NODE."
    return "", "Ask for less, or for what a node of this cluster has."
