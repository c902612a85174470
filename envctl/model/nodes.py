"""A pod whose node does not answer: what the node's controller says of it, and what it leaves out.

Reasons are those of k8s.io/kubernetes/pkg/controller/nodelifecycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.objects import Obj


def obstacle_of(pod: Obj, events: Iterable[Obj]) -> Obstacle | None:
    """Why a pod that has a node gets no further, where the node is the reason.

    The cluster replaces it elsewhere after some minutes, where it may: the step's timeout decides.
    """
    node = (pod.get("spec") or {}).get("nodeName")
    if not node:
        return None
    said = [e for e in events if e.get("reason") in ("NodeNotReady", "TaintManagerEviction")]
    status = pod.get("status") or {}
    advice = f"Bring the node back, or take it away: kubectl describe node {node}."
    if said and not _ready(status):
        return Obstacle("NodeNotReady", f"its node {node} does not answer", advice)
    if not status.get("startTime") and not status.get("containerStatuses"):
        return Obstacle("NodeSilent", f"its node {node} has not taken it up", advice)
    return None


def _ready(status: Obj) -> bool:
    return any(
        c.get("type") == "Ready" and c.get("status") == "True"
        for c in status.get("conditions") or []
    )
