"""A program that dies while it waits for another gets more chances than one that waits for none."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.model.patience import CRASHES, PATIENT_CRASHES, crashes

EARLIER, DIED, LATER = (f"2026-11-25T12:00:{second:02}Z" for second in (10, 20, 30))


def pod(
    *statuses: dict[str, Any], ready: str = "", job: bool = False, phase: str = "Running"
) -> dict[str, Any]:
    conditions = [
        {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": ready}
    ]
    owners = [{"kind": "Job" if job else "ReplicaSet", "uid": "o"}]
    return {
        "metadata": {"name": "p", "uid": "u", "ownerReferences": owners},
        "spec": {"restartPolicy": "Never" if job else "Always"},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": list(statuses)},
    }


def ended(at: str, code: int = 1) -> dict[str, Any]:
    return {"name": "web", "state": {"terminated": {"exitCode": code, "finishedAt": at}}}


def crashed(at: str) -> dict[str, Any]:
    return {
        "name": "web",
        "restartCount": 2,
        "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 1, "finishedAt": at}},
    }


RUNNING = {"name": "db", "restartCount": 0, "state": {"running": {}}, "ready": True}
STUCK = {"name": "db", "state": {"waiting": {"reason": "ErrImagePull", "message": "denied"}}}
CREATING = {"name": "db", "state": {"waiting": {"reason": "ContainerCreating"}}}


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], CRASHES),
        ([pod(RUNNING, ready=EARLIER)], CRASHES),
        ([pod(RUNNING, ready=LATER)], PATIENT_CRASHES),
        ([pod(RUNNING, ready=DIED)], PATIENT_CRASHES),  # times are whole seconds
        ([pod(RUNNING)], PATIENT_CRASHES),
        ([pod(CREATING, phase="Pending")], PATIENT_CRASHES),
        ([pod(STUCK, phase="Pending")], CRASHES),
        ([pod(crashed(LATER))], CRASHES),
        ([pod(crashed(EARLIER), ready=LATER)], CRASHES),
        ([pod(RUNNING, ready=EARLIER, job=True)], PATIENT_CRASHES),
        ([pod(ended(LATER, 0), job=True, phase="Succeeded")], PATIENT_CRASHES),
        ([pod(ended(EARLIER, 0), job=True, phase="Succeeded")], CRASHES),
        ([pod(ended(LATER, 1), job=True, phase="Failed")], CRASHES),
        ([pod(RUNNING, ready=EARLIER), pod(RUNNING, ready=LATER)], PATIENT_CRASHES),
    ],
)
def test_chances(others: list[dict[str, Any]], expected: int) -> None:
    assert crashes(pod(ended(DIED)), others) == expected


def test_what_has_not_died_is_not_the_question() -> None:
    assert crashes(pod(RUNNING, ready=EARLIER), [pod(CREATING, phase="Pending")]) == CRASHES


def test_what_is_going_or_has_no_node_is_not_waited_for() -> None:
    going = pod(RUNNING)
    going["metadata"]["deletionTimestamp"] = "now"
    homeless = pod(phase="Pending")
    homeless["status"]["conditions"] = [{"type": "PodScheduled", "status": "False"}]
    assert crashes(pod(ended(DIED)), [going, homeless]) == CRASHES
