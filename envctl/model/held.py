"""What holds an object that is being deleted: its finalizers, who should remove them, and force.

A finalizer says who still has something to clean up. Those of Kubernetes' own controllers go by
themselves once what they wait for is gone; any other belongs to a controller that may be gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model.result import StuckObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envctl.model.objects import Obj

#: Finalizers that a controller of the control plane removes, and when.
KEEPERS = {
    "kubernetes.io/pvc-protection": "the pvc-protection controller, once no pod uses the claim",
    "kubernetes.io/pv-protection": "the pv-protection controller, once the claim is gone",
    "foregroundDeletion": "the garbage collector, once the dependants are gone",
    "orphan": "the garbage collector",
    "batch.kubernetes.io/job-tracking": "the job controller",
}
_CLOUD = {
    "service.kubernetes.io/load-balancer-cleanup": "the cloud's load balancer controller",
}
#: Words of finalizers and field managers that tell nobody from another.
_COMMON = frozenset(
    {"io", "com", "org", "net", "dev", "app", "apps", "k8s", "x-k8s", "kubernetes", "finalizer",
     "finalizers", "cleanup", "manager", "controller", "operator", "kubectl", "envctl", "helm",
     "unknown", "api", "www", "example", "kube-controller-manager", "before-first-apply"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet that may be a finalizer's controller."""

    kind: str
    namespace: str
    name: str
    ready: int
    wanted: int

    def __str__(self) -> str:
        state = f"{self.ready} of {self.wanted} ready"
        return f"{self.kind}/{self.name} in {self.namespace} ({state})"


def removable(obj: Obj) -> tuple[str, ...]:
    """The finalizers that ``--force`` takes off: those that the control plane does not."""
    found = obj.get("metadata", {}).get("finalizers") or ()
    return tuple(finalizer for finalizer in found if finalizer not in KEEPERS)


def keeper(finalizer: str) -> str:
    """Who should remove a finalizer."""
    known = KEEPERS.get(finalizer) or _CLOUD.get(finalizer)
    return known or f"the controller of {finalizer.partition('/')[0]}"


def words(obj: Obj, finalizer: str) -> frozenset[str]:
    """What the finalizer's controller may be called: its domain, and who set the finalizer."""
    found = set(finalizer.partition("/")[0].lower().split("."))
    for entry in obj.get("metadata", {}).get("managedFields") or []:
        owned = ((entry.get("fieldsV1") or {}).get("f:metadata") or {}).get("f:finalizers") or {}
        if any(finalizer in key for key in owned):
            found.add(str(entry.get("manager", "")).lower().partition("/")[0])
    whole = {re.sub(r"-?(controller|operator|manager|controller-manager)$", "", w) for w in found}
    return frozenset(w for w in (found | whole) - _COMMON if len(w) > 2)


def is_called(workload: Obj, names: Iterable[str]) -> bool:
    """Whether a workload's name, namespace or label has one of the names in it."""
    meta = workload.get("metadata", {})
    label = (meta.get("labels") or {}).get("app.kubernetes.io/name", "")
    text = f"{meta.get('name', '')} {meta.get('namespace', '')} {label}".lower()
    return any(name in text for name in names)


def stuck_object(obj: Obj, controllers: Sequence[Workload], *, asked: bool) -> StuckObject:
    """An object that its finalizers hold.

    ``controllers`` are workloads that may be the one; ``asked`` is whether they were looked for.
    """
    meta = obj["metadata"]
    finalizers = tuple(meta.get("finalizers") or ())
    first = next(iter(removable(obj)), finalizers[0])
    name = f"{obj['kind']}/{meta['name']}"
    who = keeper(first)
    said = f"{name} has the finalizer {first!r}, which {who} should remove"
    if first in KEEPERS:
        return StuckObject(name, finalizers, f"{said}.", "It goes when the others here are gone.")
    force = (
        f"`envctl down --force` takes {first!r} off {name}; what it stands for outside of the "
        "environment is then cleaned up by nobody."
    )
    if not asked:
        return StuckObject(name, finalizers, f"{said}.", f"See whether {who} runs. Else {force}")
    if not controllers:
        return StuckObject(
            name, finalizers, f"{said}; no workload of the cluster is called like it.",
            f"Install {who} again so that it can clean up, or: {force}",
        )  # fmt: skip
    found = ", ".join(map(str, controllers[:2]))
    runs = any(c.ready for c in controllers)
    state = "it runs" if runs else "it does not run"
    advice = "See what its log says." if runs else "Bring it back so that it can clean up."
    return StuckObject(
        name, finalizers, f"{said}; {state}: {found}.", f"{advice} If it never will: {force}"
    )


def stuck_pod(pod: Obj, *, node_is_gone: bool) -> StuckObject:
    """A pod whose node does not say that it has ended."""
    name, node = f"Pod/{pod['metadata']['name']}", (pod.get("spec") or {}).get("nodeName", "")
    state = "is not there any more" if node_is_gone else "does not answer"
    return StuckObject(
        name,
        (),
        f"{name} is to end on the node {node}, which {state}: its kubelet should confirm it.",
        f"Bring the node back, or delete it: kubectl delete node {node}. "
        f"`envctl down --force` deletes {name} without asking the node.",
    )
