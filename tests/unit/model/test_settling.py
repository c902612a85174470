"""How long what is ready must stay so before it is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envctl.model.settling import MOST, Settling, needed

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PROBED = {"name": "web", "readinessProbe": {"httpGet": {"port": 80}}}
PLAIN = {"name": "web"}


def at(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def runs(since: float = -1, restarts: int = 0, lived: float = 0, **more: Any) -> dict[str, Any]:
    last = {"terminated": {"startedAt": at(-60 - lived), "finishedAt": at(-60), "exitCode": 1}}
    return {
        "name": "web",
        "restartCount": restarts,
        "state": {"running": {"startedAt": at(since)}},
        "lastState": last if restarts else {},
        **more,
    }


@pytest.mark.parametrize(
    ("container", "status", "window", "seconds"),
    [
        (PLAIN, runs(), 5, 5),
        (PROBED, runs(), 5, 0),
        (PLAIN, runs(restarts=1, lived=0), 5, 5),
        (PLAIN, runs(restarts=1, lived=12), 5, 17),
        (PROBED, runs(restarts=2, lived=4), 5, 9),
        (PLAIN, runs(restarts=1, lived=3600), 5, MOST),
        (PLAIN, runs(since=-3600), 5, 0),
        (PLAIN, runs(since=-3600, restarts=3, lived=5), 5, 0),
        (PLAIN, runs(), 0, 0),
        (PLAIN, runs(restarts=1, lived=9), 0, 0),
        # A node whose clock is wrong by an hour costs a few seconds, or saves them.
        (PLAIN, runs(since=3600), 5, 5),
        (PLAIN, {**runs(), "state": {"running": {}}}, 5, 5),
        (PLAIN, {**runs(restarts=1), "lastState": {}}, 5, 5),
        (PLAIN, {**runs(), "state": {"running": {"startedAt": "nonsense"}}}, 5, 5),
    ],
)
def test_seconds_that_are_needed(
    container: dict[str, Any], status: dict[str, Any], window: float, seconds: float
) -> None:
    assert needed(container, status, window, NOON) == seconds


def pod(status: dict[str, Any], *, sidecar: bool = False) -> dict[str, Any]:
    kinds = ("initContainers", "initContainerStatuses")
    names = kinds if sidecar else ("containers", "containerStatuses")
    return {
        "metadata": {"name": "p", "uid": "u"},
        "spec": {names[0]: [PLAIN]},
        "status": {names[1]: [status]},
    }


@pytest.mark.parametrize("sidecar", [False, True])
def test_time_counts_from_when_the_run_was_first_seen(sidecar: bool) -> None:
    settling, found = Settling(5.0), pod(runs(), sidecar=sidecar)
    settling.see([found], 100.0)
    assert settling.left([found], 102.0, NOON) == 3.0
    assert settling.left([found], 105.0, NOON) == 0.0


def test_a_restart_begins_anew_and_must_outlive_the_run_before() -> None:
    settling = Settling(5.0)
    settling.see([pod(runs())], 100.0)
    assert settling.left([pod(runs(restarts=1, lived=4))], 110.0, NOON) == 9.0


def test_what_has_ended_is_not_believed_however_available_its_workload_is() -> None:
    ended = {**runs(), "state": {"terminated": {"exitCode": 1}}}
    assert Settling(5.0).left([pod(ended)], 1.0, NOON) == 5.0
    assert Settling(0.0).left([pod(ended)], 1.0, NOON) == 0.0


def test_what_is_done_need_not_run() -> None:
    done = pod({**runs(), "state": {"terminated": {"exitCode": 0}}})
    done["status"]["phase"] = "Succeeded"
    assert Settling(5.0).left([done], 1.0, NOON) == 0.0
    assert Settling(5.0).left([], 1.0, NOON) == 0.0
