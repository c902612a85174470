"""What a pod's time went into, read from what the cluster writes about it."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.model.podphases import phases

CREATED = "2026-11-25T08:00:00Z"


def at(second: int) -> str:
    return f"2026-11-25T08:00:{second:02}Z"


def pod(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web-1", "uid": "u", "creationTimestamp": CREATED},
        "spec": {"initContainers": [{"name": "wait"}], "containers": [{"name": "web"}]},
        "status": status,
    }


def conditions(**seconds: int) -> list[dict[str, str]]:
    return [
        {"type": kind, "status": "True", "lastTransitionTime": at(second)}
        for kind, second in seconds.items()
    ]


RUNNING = [{"name": "web", "state": {"running": {"startedAt": at(9)}}}]
PULLED = {
    "reason": "Pulled",
    "lastTimestamp": at(8),
    "message": 'Successfully pulled image "shop/web:1" in 1m2.5s (2.6s including waiting).',
}


def told(obj: dict[str, Any], *events: dict[str, Any]) -> dict[str, float]:
    return {p.kind: (p.ended - p.began).total_seconds() for p in phases(obj, events)}


def test_every_phase_of_a_pod_that_is_ready() -> None:
    ready = pod(
        conditions=conditions(PodScheduled=1, Initialized=4, Ready=20), containerStatuses=RUNNING
    )
    assert told(ready, {**PULLED, "message": PULLED["message"].replace("1m2.5s", "2.5s")}) == {
        "scheduling": 1, "pull": 2.5, "init": 3, "start": 1, "readiness": 11,
    }  # fmt: skip


def test_a_job_runs_where_a_server_becomes_ready() -> None:
    ended = [{"state": {"terminated": {"startedAt": at(5), "finishedAt": at(35), "exitCode": 0}}}]
    over = pod(phase="Succeeded", conditions=conditions(PodScheduled=1), containerStatuses=ended)
    assert told(over)["run"] == 30
    assert "readiness" not in told(over)


def test_the_kubelet_measures_a_pull_better_than_its_clock() -> None:
    assert told(pod(), PULLED) == {"pull": 62.5}
    assert phases(pod(), [PULLED])[0].name == "shop/web:1"


@pytest.mark.parametrize(
    "event",
    [
        {"reason": "Pulled", "lastTimestamp": at(8), "message": "already present on machine"},
        {**PULLED, "lastTimestamp": None},
        {**PULLED, "lastTimestamp": "yesterday"},
        {**PULLED, "reason": "Pulling"},
        {**PULLED, "message": 'image "x" in 1.2.3s'},
        {},
    ],
)
def test_what_says_nothing_of_a_pull_is_none(event: dict[str, Any]) -> None:
    assert all(seconds == 0 for seconds in told(pod(), event).values())


@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"metadata": {"creationTimestamp": "x"}, "status": None},
        pod(conditions=[{}], containerStatuses=[{}]),
        pod(conditions=conditions(PodScheduled=1), containerStatuses=[{"state": {"waiting": {}}}]),
    ],
)
def test_a_pod_of_which_little_is_known(obj: dict[str, Any]) -> None:
    assert set(told(obj)) <= {"scheduling"}
