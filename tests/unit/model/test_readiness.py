"""A table of realistic objects: what each kind says when it is ready, waiting or hopeless."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model import readiness
from envctl.model.readiness import State

READY, WAITING, DOOMED = State.READY, State.WAITING, State.DOOMED


def obj(
    api_version: str, kind: str, status: Any = None, spec: Any = None, generation: int | None = 1
) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": "x"}
    if generation is not None:
        meta["generation"] = generation
    found = {"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": spec or {}}
    return found if status is None else {**found, "status": status}


def condition(kind: str, status: str = "True", reason: str = "", message: str = "") -> Any:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def deployment(spec: Any = None, **status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
            "availableReplicas": 2, **status}  # fmt: skip
    kept = {k: v for k, v in full.items() if v is not None}
    return obj("apps/v1", "Deployment", kept, {"replicas": 2, **(spec or {})})


def stateful_set(spec: Any = None, **status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 1, "readyReplicas": 2, "updatedReplicas": 2,
            "currentRevision": "a", "updateRevision": "a", **status}  # fmt: skip
    kept = {k: v for k, v in full.items() if v is not None}
    return obj("apps/v1", "StatefulSet", kept, {"replicas": 2, **(spec or {})})


def daemon_set(**status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3,
            "numberReady": 3, "numberAvailable": 3, **status}  # fmt: skip
    return obj("apps/v1", "DaemonSet", {k: v for k, v in full.items() if v is not None})


def job(*conditions: Any, spec: Any = None, **status: Any) -> dict[str, Any]:
    return obj("batch/v1", "Job", {"conditions": list(conditions), **status}, spec)


def custom(*conditions: Any, **more: Any) -> dict[str, Any]:
    return obj("example.org/v1", "Widget", {"conditions": list(conditions), **more})


LATE = condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out progressing")
QUOTA = condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: envctl")
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
API = ("apiregistration.k8s.io/v1", "APIService")

CASES = [
    (deployment(), READY, ""),
    (deployment(spec={"replicas": 0}, replicas=0, updatedReplicas=None, readyReplicas=None,
                availableReplicas=None), READY, ""),
    (deployment(observedGeneration=None), WAITING, "has not seen it"),
    (deployment(observedGeneration=0), WAITING, "has not seen the change"),
    (deployment(updatedReplicas=1), WAITING, "1 of 2 replicas updated"),
    (deployment(readyReplicas=None), WAITING, "0 of 2 replicas ready"),
    (deployment(availableReplicas=1), WAITING, "1 of 2 replicas available"),
    (deployment(replicas=3), WAITING, "1 old replicas to go"),
    (deployment(spec={"paused": True}), WAITING, "paused"),
    (deployment(updatedReplicas=1, conditions=[QUOTA]), WAITING, "exceeded quota"),
    (deployment(conditions=[QUOTA]), READY, ""),
    (deployment(updatedReplicas=1, conditions=[LATE]), DOOMED, "timed out progressing"),
    (stateful_set(), READY, ""),
    (stateful_set(observedGeneration=None), WAITING, "has not seen it"),
    (stateful_set(readyReplicas=1), WAITING, "1 of 2 replicas ready"),
    (stateful_set(updatedReplicas=1, updateRevision="b"), WAITING, "1 of 2 replicas updated"),
    (stateful_set(updateRevision="b"), WAITING, "new revision"),
    (stateful_set({"updateStrategy": {"type": "OnDelete"}}, updatedReplicas=0), READY, ""),
    (stateful_set({"updateStrategy": {"rollingUpdate": {"partition": 1}}}, updatedReplicas=1,
                  updateRevision="b"), READY, ""),
    (daemon_set(), READY, ""),
    (daemon_set(observedGeneration=None), WAITING, "has not seen it"),
    (daemon_set(updatedNumberScheduled=1), WAITING, "1 of 3 pods updated"),
    (daemon_set(numberReady=2), WAITING, "2 of 3 pods ready"),
    (daemon_set(numberAvailable=None), WAITING, "0 of 3 pods available"),
    (obj("apps/v1", "ReplicaSet", {"availableReplicas": 1}, {"replicas": 1}), READY, ""),
    (obj("v1", "ReplicationController", {"readyReplicas": 0}, {"replicas": 1}), WAITING, "0 of 1"),
    (job(condition("Complete")), READY, ""),
    (job(active=1), WAITING, "0 of 1 completed"),
    (job(failed=1, active=1), WAITING, "1 failed"),
    (job(spec={"suspend": True}), WAITING, "suspended"),
    (job(condition("Failed", "True", "BackoffLimitExceeded")), DOOMED, "BackoffLimitExceeded"),
    (job(condition("FailureTarget", "True", "DeadlineExceeded")), DOOMED, "DeadlineExceeded"),
    (job(condition("SuccessCriteriaMet")), WAITING, "0 of 1"),
    (obj("v1", "Pod", {"phase": "Running", "conditions": [condition("Ready")]}), READY, ""),
    (obj("v1", "Pod", {"phase": "Succeeded"}), READY, ""),
    (obj("v1", "Pod", {"phase": "Pending"}), WAITING, "Pending"),
    (obj("v1", "Pod"), WAITING, "not scheduled"),
    (obj("v1", "Pod", {"phase": "Failed", "reason": "OutOfmemory"}), DOOMED, "OutOfmemory"),
    (obj("v1", "PersistentVolumeClaim", {"phase": "Bound"}), READY, ""),
    (obj("v1", "PersistentVolumeClaim", {"phase": "Pending"}), WAITING, "not bound"),
    (obj("v1", "PersistentVolumeClaim", {"phase": "Lost"}), DOOMED, "lost"),
    (obj("v1", "Service", {"loadBalancer": {}}, {"type": "ClusterIP"}), READY, ""),
    (obj("v1", "Service", {"loadBalancer": {}}, {"type": "LoadBalancer"}), WAITING, "address"),
    (obj("v1", "Service", {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
         {"type": "LoadBalancer"}), READY, ""),
    (obj(*CRD, {"conditions": [condition("Established")]}), READY, ""),
    (obj(*CRD), WAITING, "not established"),
    (obj(*CRD, {"conditions": [condition("NamesAccepted", "False", "PluralConflict", "taken")]}),
     DOOMED, "taken"),
    (obj(*API, {"conditions": [condition("Available")]}), READY, ""),
    (obj(*API, {"conditions": [condition("Available", "False", "MissingEndpoints", "none")]}),
     WAITING, "MissingEndpoints"),
    (custom(condition("Ready")), READY, ""),
    (custom(condition("Available")), READY, ""),
    (custom(condition("Ready", "False", "Installing", "pulling")), WAITING, "Installing: pulling"),
    (custom(condition("Ready", "Unknown")), WAITING, "Ready is not True"),
    (custom(condition("Reconciling", "True", "", "working")), WAITING, "working"),
    (custom(condition("Stalled", "True", "BadSpec", "no")), DOOMED, "BadSpec"),
    (custom(condition("Ready"), observedGeneration=0), WAITING, "has not seen the change"),
    (obj("example.org/v1", "Widget", "healthy"), READY, ""),
    (obj("example.org/v1", "Widget", {"conditions": ["odd", {"type": "Ready", "status": "True"}]}),
     READY, ""),
    (obj("v1", "ConfigMap", generation=None), READY, ""),
    (obj("networking.k8s.io/v1", "Ingress"), READY, ""),
]  # fmt: skip


@pytest.mark.parametrize(("found", "state", "reason"), CASES)
def test_what_a_status_means(found: dict[str, Any], state: State, reason: str) -> None:
    assessed = readiness.assess(found)
    assert assessed.state is state
    assert reason in assessed.reason
    assert bool(assessed.reason) is not assessed.ready


def test_every_rule_has_a_case_for_ready_and_for_waiting() -> None:
    for key in readiness._RULES:
        states = {
            state
            for found, state, _ in CASES
            if (found["apiVersion"].rpartition("/")[0], found["kind"]) == key
            or key[1] in ("ReplicationController", "ReplicaSet")
        }
        assert {READY, WAITING} <= states, key


def test_what_is_being_deleted_is_not_ready() -> None:
    found = deployment()
    found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert readiness.assess(found).state is WAITING


@pytest.mark.parametrize(
    ("found", "static"),
    [
        (obj("v1", "ConfigMap"), True),
        (obj("v1", "Service", spec={"type": "ClusterIP"}), True),
        (obj("v1", "Service", spec={"type": "LoadBalancer"}), False),
        (deployment(), False),
        (custom(), False),
    ],
)
def test_what_needs_no_watch(found: dict[str, Any], static: bool) -> None:
    assert readiness.is_static(found) is static


@pytest.mark.parametrize(
    ("found", "awaited"),
    [
        (obj("example.org/v1", "Widget"), True),
        (custom(), False),
        (obj("v1", "ConfigMap"), False),
        (obj("networking.k8s.io/v1", "Ingress"), False),
    ],
)
def test_a_silent_custom_resource_is_given_time(found: dict[str, Any], awaited: bool) -> None:
    assert readiness.awaits_conditions(found) is awaited


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["True", "Ready", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["conditions", "type", "status", "reason", "observedGeneration"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_any_custom_resource_has_a_state(status: object, spec: object) -> None:
    found = obj("example.org/v1", "Widget", status, spec)
    assert isinstance(readiness.assess(found).state, State)


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
def test_a_deployment_is_ready_only_when_all_wanted_replicas_are(
    wanted: int, updated: int, ready: int, available: int
) -> None:
    found = deployment({"replicas": wanted}, replicas=updated, updatedReplicas=updated,
                       readyReplicas=ready, availableReplicas=available)  # fmt: skip
    assert readiness.assess(found).ready == (min(updated, ready, available) >= wanted)
