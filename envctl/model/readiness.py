"""Is this object ready? Pure functions of one object.

The rules are those of kstatus (sigs.k8s.io/cli-utils), with what facts about real clusters add:
terminal conditions of Jobs and Pods, unbound claims that wait for a consumer, load balancers that
have an address, custom resources by their conditions.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.model.objects import Obj


class State(enum.StrEnum):
    """``DOOMED`` is final: waiting longer will not help."""

    READY = "ready"
    WAITING = "waiting"
    DOOMED = "doomed"


@dataclass(frozen=True, slots=True)
class Readiness:
    """A state and, unless it is ready, the reason in words."""

    state: State
    reason: str = ""

    @property
    def ready(self) -> bool:
        """Whether nothing is awaited any more."""
        return self.state is State.READY


READY = Readiness(State.READY)


def waiting(reason: str) -> Readiness:
    """Not ready yet."""
    return Readiness(State.WAITING, reason)


def doomed(reason: str) -> Readiness:
    """Will not become ready."""
    return Readiness(State.DOOMED, reason)


def assess(obj: Obj) -> Readiness:
    """The readiness of any object, as its status says it."""
    meta = obj.get("metadata", {})
    if meta.get("deletionTimestamp"):
        return waiting("it is being deleted")
    if _unobserved(obj):
        return waiting("its controller has not seen the change yet")
    group = obj.get("apiVersion", "").rpartition("/")[0]
    rule = _RULES.get((group, obj.get("kind", "")))
    if rule:
        return rule(obj)
    return _custom(obj) if "." in group and not group.endswith(".k8s.io") else READY


def conditions(obj: Obj) -> dict[str, dict[str, Any]]:
    """The conditions of an object by their type."""
    found = _status(obj).get("conditions")
    if not isinstance(found, list):
        return {}
    return {str(c.get("type", "")): c for c in found if isinstance(c, dict)}


def _status(obj: Obj) -> dict[str, Any]:
    """The status; a custom resource may have something else under that name."""
    found = obj.get("status")
    return found if isinstance(found, dict) else {}


def is_true(obj: Obj, kind: str) -> bool:
    """Whether a condition is there and True."""
    return conditions(obj).get(kind, {}).get("status") == "True"


def _said(condition: dict[str, Any]) -> str:
    reason, message = str(condition.get("reason") or ""), str(condition.get("message") or "")
    return f"{reason}: {message}" if reason and message else reason or message


def _unobserved(obj: Obj) -> bool:
    generation = obj.get("metadata", {}).get("generation")
    observed = _status(obj).get("observedGeneration")
    return isinstance(generation, int) and isinstance(observed, int) and observed < generation


def _deployment(obj: Obj) -> Readiness:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    wanted = spec.get("replicas", 1)
    if "observedGeneration" not in status:
        return waiting("its controller has not seen it yet")
    progressing = conditions(obj).get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return doomed(_said(progressing))
    failure = conditions(obj).get("ReplicaFailure", {})
    if failure.get("status") == "True" and status.get("updatedReplicas", 0) < wanted:
        return waiting(_said(failure))
    if spec.get("paused"):
        return waiting("it is paused")
    counts = (
        (status.get("updatedReplicas", 0), "updated"),
        (status.get("readyReplicas", 0), "ready"),
        (status.get("availableReplicas", 0), "available"),
    )
    for count, word in counts:
        if count < wanted:
            return waiting(f"{count} of {wanted} replicas {word}")
    if status.get("replicas", 0) > status.get("updatedReplicas", 0):
        return waiting(f"{status['replicas'] - status['updatedReplicas']} old replicas to go")
    return READY


def _stateful_set(obj: Obj) -> Readiness:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    wanted = spec.get("replicas", 1)
    if "observedGeneration" not in status:
        return waiting("its controller has not seen it yet")
    if status.get("readyReplicas", 0) < wanted:
        return waiting(f"{status.get('readyReplicas', 0)} of {wanted} replicas ready")
    update = spec.get("updateStrategy") or {}
    if update.get("type") == "OnDelete":
        return READY
    partition = (update.get("rollingUpdate") or {}).get("partition") or 0
    updated = status.get("updatedReplicas", 0)
    if updated < wanted - partition:
        return waiting(f"{updated} of {wanted - partition} replicas updated")
    if not partition and status.get("currentRevision") != status.get("updateRevision"):
        return waiting("its pods are not all of the new revision")
    return READY


def _daemon_set(obj: Obj) -> Readiness:
    status = obj.get("status") or {}
    if "observedGeneration" not in status:
        return waiting("its controller has not seen it yet")
    wanted = status.get("desiredNumberScheduled", 0)
    for field, word in (
        ("updatedNumberScheduled", "updated"),
        ("numberReady", "ready"),
        ("numberAvailable", "available"),
    ):
        if status.get(field, 0) < wanted:
            return waiting(f"{status.get(field, 0)} of {wanted} pods {word}")
    return READY


def _replica_set(obj: Obj) -> Readiness:
    status = obj.get("status") or {}
    wanted = (obj.get("spec") or {}).get("replicas", 1)
    ready = status.get("availableReplicas", status.get("readyReplicas", 0))
    failure = conditions(obj).get("ReplicaFailure", {})
    if ready < wanted:
        return waiting(_said(failure) or f"{ready} of {wanted} replicas available")
    return READY


def _job(obj: Obj) -> Readiness:
    if is_true(obj, "Complete"):
        return READY
    failed = conditions(obj).get("Failed", {})
    if failed.get("status") == "True":
        return doomed(_said(failed))
    # FailureTarget comes first; the pods are still there then, and so are their logs.
    target = conditions(obj).get("FailureTarget", {})
    if target.get("status") == "True":
        return doomed(_said(target))
    if (obj.get("spec") or {}).get("suspend"):
        return waiting("it is suspended")
    status = obj.get("status") or {}
    done = (obj.get("spec") or {}).get("completions", 1)
    text = f"{status.get('succeeded', 0)} of {done} completed"
    return waiting(f"{text}, {status['failed']} failed" if status.get("failed") else text)


def _pod(obj: Obj) -> Readiness:
    phase = (obj.get("status") or {}).get("phase", "")
    if phase == "Succeeded" or is_true(obj, "Ready"):
        return READY
    if phase == "Failed":
        status = obj["status"]
        return doomed(status.get("message") or status.get("reason") or "its containers failed")
    return waiting(phase or "it is not scheduled yet")


def _claim(obj: Obj) -> Readiness:
    phase = (obj.get("status") or {}).get("phase", "Pending")
    if phase == "Bound":
        return READY
    if phase == "Lost":
        return doomed("its volume is lost")
    return waiting("it is not bound to a volume yet")


def _service(obj: Obj) -> Readiness:
    if (obj.get("spec") or {}).get("type") != "LoadBalancer":
        return READY
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    return READY if balancer.get("ingress") else waiting("no load balancer address yet")


def _definition(obj: Obj) -> Readiness:
    rejected = conditions(obj).get("NamesAccepted", {})
    if rejected.get("status") == "False":
        return doomed(_said(rejected))
    return READY if is_true(obj, "Established") else waiting("it is not established yet")


def _api_service(obj: Obj) -> Readiness:
    if is_true(obj, "Available"):
        return READY
    return waiting(_said(conditions(obj).get("Available", {})) or "it is not available")


def _custom(obj: Obj) -> Readiness:
    """A custom resource: its own conditions, if its controller writes any."""
    found = conditions(obj)
    if found.get("Stalled", {}).get("status") == "True":
        return doomed(_said(found["Stalled"]))
    for kind in ("Ready", "Available", "Succeeded"):
        condition = found.get(kind)
        if condition is not None:
            if condition.get("status") == "True":
                return READY
            return waiting(_said(condition) or f"{kind} is not True")
    if found.get("Reconciling", {}).get("status") == "True":
        return waiting(_said(found["Reconciling"]))
    return READY


def awaits_conditions(obj: Obj) -> bool:
    """Whether a custom resource has said nothing yet: give its controller a grace period."""
    group = obj.get("apiVersion", "").rpartition("/")[0]
    custom = "." in group and not group.endswith(".k8s.io")
    return custom and not obj.get("status")


_RULES: dict[tuple[str, str], Callable[[Obj], Readiness]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("", "ReplicationController"): _replica_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
}

#: Kinds that are what they are as soon as they are applied; no watch is needed for them.
STATIC = frozenset(
    {
        "ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding", "ClusterRole",
        "ClusterRoleBinding", "NetworkPolicy", "ResourceQuota", "LimitRange", "Ingress",
        "IngressClass", "StorageClass", "PriorityClass", "PodDisruptionBudget", "CronJob",
        "HorizontalPodAutoscaler", "Endpoints", "EndpointSlice", "Lease", "Namespace",
        "PodTemplate", "PersistentVolume",
    }
)  # fmt: skip


def is_static(obj: Obj) -> bool:
    """Whether the object needs no watching once it is applied."""
    if obj.get("kind") == "Service":
        return (obj.get("spec") or {}).get("type") != "LoadBalancer"
    return obj.get("kind") in STATIC
