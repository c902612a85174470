"""Which pods belong to which workload, and which of them are of its current revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.objects import Obj, uid_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def owner_uids(obj: Obj) -> set[str]:
    """The UIDs of what an object names as its owners."""
    references = obj.get("metadata", {}).get("ownerReferences") or []
    return {reference.get("uid", "") for reference in references}


def current_pods(workload: Obj, pods: Iterable[Obj], replica_sets: Iterable[Obj]) -> list[Obj]:
    """The pods of the revision that is being rolled out; an old revision's trouble is not ours.

    Empty until the workload's controller has seen its latest generation.
    """
    kind = workload.get("kind")
    if kind == "Pod":
        return [workload]
    status = workload.get("status") or {}
    generation = workload.get("metadata", {}).get("generation")
    if kind != "Job" and status.get("observedGeneration", 0) < (generation or 0):
        return []
    if kind == "Deployment":
        sets = current_replica_sets(workload, replica_sets)
        owners = {uid_of(found) for found in sets}
        return [pod for pod in pods if owners & owner_uids(pod)]
    found = [pod for pod in pods if uid_of(workload) in owner_uids(pod)]
    revision = status.get("updateRevision") if kind == "StatefulSet" else None
    if not revision:
        return found
    label = "controller-revision-hash"
    return [p for p in found if (p["metadata"].get("labels") or {}).get(label) == revision]


def outdated_pods(stateful_set: Obj, pods: Iterable[Obj]) -> list[Obj]:
    """Pods of a StatefulSet's older revision: a broken one blocks the rollout for ever.

    Source: kubernetes.io/docs/concepts/workloads/controllers/statefulset, "Forced rollback".
    """
    revision = (stateful_set.get("status") or {}).get("updateRevision")
    label = "controller-revision-hash"
    return [
        pod
        for pod in pods
        if uid_of(stateful_set) in owner_uids(pod)
        and revision
        and (pod["metadata"].get("labels") or {}).get(label) != revision
    ]


def current_replica_sets(deployment: Obj, replica_sets: Iterable[Obj]) -> list[Obj]:
    """The ReplicaSet of the Deployment's current revision."""
    note = "deployment.kubernetes.io/revision"
    wanted = (deployment["metadata"].get("annotations") or {}).get(note)
    return [
        found
        for found in replica_sets
        if uid_of(deployment) in owner_uids(found)
        and (found["metadata"].get("annotations") or {}).get(note) == wanted
    ]
