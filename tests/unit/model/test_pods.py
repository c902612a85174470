"""Which reasons end a wait at once, and which deserve patience."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.model import owners
from envctl.model.pods import troubles
from envctl.model.readiness import State

WAITING, DOOMED = State.WAITING, State.DOOMED


def container(name: str = "web", **status: Any) -> dict[str, Any]:
    return {"name": name, "restartCount": 0, "ready": False, **status}


def waits(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return container(state={"waiting": {"reason": reason, "message": message}}, **more)


def ended(code: int, reason: str = "Error", **more: Any) -> dict[str, Any]:
    return container(state={"terminated": {"exitCode": code, "reason": reason}}, **more)


def crashed(code: int, restarts: int, reason: str = "Error", waiting: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {"startedAt": "t"}}
    last = {"terminated": {"exitCode": code, "reason": reason}}
    return container(state=state, lastState=last, restartCount=restarts)


def pod(*containers: Any, **status: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "p", "uid": "u"},
        "status": {"phase": "Pending", "containerStatuses": list(containers), **status},
    }


UNSCHEDULED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
               "message": "0/1 nodes: persistentvolumeclaim not found"}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "state", "reason"),
    [
        (waits("ImagePullBackOff", "Back-off pulling image"), WAITING, "ImagePullBackOff"),
        (waits("ErrImagePull", "dial tcp: i/o timeout"), WAITING, "ErrImagePull"),
        (waits("ErrImagePull", "web:1: not found"), DOOMED, "ErrImagePull"),
        (waits("ImagePullBackOff", "pull access denied"), DOOMED, "ImagePullBackOff"),
        (waits("ErrImagePull", "401 Unauthorized"), DOOMED, "ErrImagePull"),
        (waits("ErrImagePull", "no match for platform in manifest"), DOOMED, "ErrImagePull"),
        (waits("InvalidImageName", "couldn't parse"), DOOMED, "InvalidImageName"),
        (waits("ErrImageNeverPull"), DOOMED, "ErrImageNeverPull"),
        (waits("CreateContainerConfigError", 'secret "db" not found'), DOOMED,
         "CreateContainerConfigError"),
        (waits("CreateContainerConfigError", "failed to sync configmap cache: timed out"), WAITING,
         "CreateContainerConfigError"),
        (waits("RunContainerError", "no such file"), DOOMED, "RunContainerError"),
        (waits("CreateContainerError", "bad mount"), DOOMED, "CreateContainerError"),
        (ended(1), WAITING, "Error"),
        (ended(1, restartCount=1), WAITING, "CrashLoopBackOff"),
        (ended(1, restartCount=3), DOOMED, "CrashLoopBackOff"),
        (crashed(1, 2), WAITING, "CrashLoopBackOff"),
        (crashed(1, 3, waiting="CrashLoopBackOff"), DOOMED, "CrashLoopBackOff"),
        (crashed(0, 3, "Completed", waiting="CrashLoopBackOff"), DOOMED, "CrashLoopBackOff"),
        (crashed(0, 1, "Completed", waiting="CrashLoopBackOff"), WAITING, "CrashLoopBackOff"),
        (ended(137, "OOMKilled"), WAITING, "OOMKilled"),
        (crashed(137, 2, "OOMKilled"), DOOMED, "OOMKilled"),
        (ended(127), DOOMED, "Error"),
        (ended(126, restartCount=1), DOOMED, "Error"),
        (ended(128, "StartError"), DOOMED, "StartError"),
        (container(state={"running": {"startedAt": "t"}}), WAITING, "NotReady"),
    ],
)  # fmt: skip
def test_a_containers_trouble(found: dict[str, Any], state: State, reason: str) -> None:
    first = troubles(pod(found), [])[0]
    assert (first.state, first.reason, first.container) == (state, reason, "web")
    assert first.message


@pytest.mark.parametrize(
    "found",
    [
        pod(container(state={"running": {"startedAt": "t"}}, ready=True), phase="Running"),
        pod(phase="Succeeded"),
        {**pod(ended(0, "Completed")), "spec": {"restartPolicy": "Never"}},
        pod(waits("ContainerCreating")),
        pod(waits("PodInitializing")),
        pod(),
    ],
)
def test_no_trouble(found: dict[str, Any]) -> None:
    assert troubles(found, []) == []


@pytest.mark.parametrize(
    ("reason", "state"),
    [("Evicted", WAITING), ("Preempting", WAITING), ("UnexpectedAdmissionError", DOOMED),
     ("OutOfcpu", DOOMED)],
)  # fmt: skip
def test_a_pod_that_failed_as_a_whole(reason: str, state: State) -> None:
    found = {"status": {"phase": "Failed", "reason": reason, "message": "why"}}
    assert [(t.state, t.reason) for t in troubles(found, [])] == [(state, reason)]


def test_a_pod_that_no_node_takes_may_be_helped_by_an_autoscaler() -> None:
    first = troubles(pod(conditions=[UNSCHEDULED]), [])[0]
    assert (first.state, first.reason) == (WAITING, "Unschedulable")


def test_an_init_container_is_looked_at_too() -> None:
    found = pod(waits("PodInitializing"), initContainerStatuses=[ended(127, name="setup")])
    assert [t.container for t in troubles(found, [])] == ["setup"]


def test_the_hopeless_comes_first() -> None:
    found = pod(
        container(state={"running": {"startedAt": "t"}}), waits("InvalidImageName", name="side")
    )
    assert [t.state for t in troubles(found, [])] == [DOOMED, WAITING]


def event(reason: str, message: str = "m", path: str = "") -> dict[str, Any]:
    return {"reason": reason, "message": message, "involvedObject": {"fieldPath": path}}


def test_a_missing_volume_is_said_by_events_only() -> None:
    found = troubles(pod(waits("ContainerCreating")), [event("FailedMount", 'secret "x"')])
    assert [(t.state, t.reason, t.message) for t in found] == [
        (WAITING, "FailedMount", 'secret "x"')
    ]


def test_a_probe_that_fails_names_its_container() -> None:
    events = [event("Unhealthy", "500", "spec.containers{web}"), event("Unhealthy", "501")]
    found = troubles(pod(), events)
    assert [(t.reason, t.container) for t in found] == [("Unhealthy", "web")]


def test_events_add_nothing_to_a_hopeless_pod() -> None:
    assert len(troubles(pod(ended(127)), [event("FailedMount")])) == 1


# Whose pods count


def owned_by(kind: str, name: str, owner: str, **meta: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "uid": name, **meta,
            "ownerReferences": [{"uid": owner}]}}  # fmt: skip


NOTE = "deployment.kubernetes.io/revision"


def workload(kind: str, observed: int = 2, **status: Any) -> dict[str, Any]:
    meta = {"name": "w", "uid": "w", "generation": 2, "annotations": {NOTE: "2"}}
    return {"kind": kind, "metadata": meta, "status": {"observedGeneration": observed, **status}}


SETS = [owned_by("ReplicaSet", "old", "w", annotations={NOTE: "1"}),
        owned_by("ReplicaSet", "new", "w", annotations={NOTE: "2"}),
        owned_by("ReplicaSet", "other", "x", annotations={NOTE: "2"})]  # fmt: skip
PODS = [owned_by("Pod", f"p-{o}", o) for o in ("old", "new", "other")]


def names(found: list[dict[str, Any]]) -> list[str]:
    return [o["metadata"]["name"] for o in found]


def test_pods_of_an_old_revision_do_not_count() -> None:
    assert names(owners.current_pods(workload("Deployment"), PODS, SETS)) == ["p-new"]


def test_before_the_controller_looked_no_pod_counts() -> None:
    assert owners.current_pods(workload("Deployment", observed=1), PODS, SETS) == []


def test_a_stateful_sets_pods_by_revision() -> None:
    label = "controller-revision-hash"
    pods = [owned_by("Pod", "a", "w", labels={label: "1"}),
            owned_by("Pod", "b", "w", labels={label: "2"}), owned_by("Pod", "c", "x")]  # fmt: skip
    found = workload("StatefulSet", updateRevision="2")
    assert names(owners.current_pods(found, pods, [])) == ["b"]
    assert names(owners.outdated_pods(found, pods)) == ["a"]
    assert owners.outdated_pods(workload("StatefulSet"), pods) == []


@pytest.mark.parametrize("kind", ["Job", "DaemonSet", "ReplicaSet"])
def test_pods_of_others_by_owner(kind: str) -> None:
    pods = [owned_by("Pod", "a", "w"), owned_by("Pod", "b", "x"), {"metadata": {"name": "c"}}]
    assert names(owners.current_pods(workload(kind), pods, [])) == ["a"]


def test_a_pod_is_its_own() -> None:
    assert names(owners.current_pods(PODS[0], PODS, [])) == ["p-old"]
