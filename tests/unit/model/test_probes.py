"""What a failing probe says, in words that name the mistake."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.model.pods import troubles
from envctl.model.readiness import State

REFUSED = 'Get "http://10.1.0.7:9090/": dial tcp 10.1.0.7:9090: connect: connection refused'
SLOW = 'Get "http://10.1.0.7/": context deadline exceeded'
TLS = 'Get "https://10.1.0.7/": http: server gave HTTP response to HTTPS client'


def event(message: str, container: str = "web") -> dict[str, Any]:
    where = {"fieldPath": f"spec.containers{{{container}}}"}
    return {"reason": "Unhealthy", "message": message, "involvedObject": where}


def pod(state: dict[str, Any], **status: Any) -> dict[str, Any]:
    found = {"name": "web", "ready": False, "restartCount": 0, "state": state, **status}
    return {
        "metadata": {"name": "p", "uid": "u"},
        "status": {"phase": "Running", "containerStatuses": [found]},
    }


@pytest.mark.parametrize(
    ("said", "next_step"),
    [
        (f"Readiness probe failed: {REFUSED}", "port"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", "path"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 500", "log"),
        (f"Readiness probe failed: {SLOW}", "timeoutSeconds"),
        (f"Readiness probe failed: {TLS}", "scheme"),
        (f"Startup probe failed: {REFUSED}", "port"),
        ("Readiness probe failed: ls: /ready: No such file or directory\n", "Correct the probe"),
    ],
)
def test_why_a_container_is_not_ready(said: str, next_step: str) -> None:
    first = troubles(pod({"running": {}}), [event(said)])[0]
    kind, _, words = said.partition(" probe failed: ")
    assert (first.state, first.reason) == (State.WAITING, "NotReady")
    assert first.message == f"its {kind.lower()} probe has not succeeded: {words.strip()}"
    assert next_step in first.next


def test_the_probe_that_failed_last_is_told_and_only_the_containers_own() -> None:
    events = [
        event("Readiness probe failed: one"),
        event("Readiness probe failed: two"),
        event("Readiness probe failed: of another", "sidecar"),
        event("Liveness probe failed: not this one"),
    ]
    assert troubles(pod({"running": {}}), events)[0].message.endswith(": two")


@pytest.mark.parametrize(
    ("code", "said", "reason"),
    [
        (137, "Liveness probe failed: HTTP probe failed with statuscode: 404", "Liveness"),
        (143, "Liveness probe failed: HTTP probe failed with statuscode: 404", "Liveness"),
        (0, "Liveness probe failed: HTTP probe failed with statuscode: 404", "Liveness"),
        (137, f"Startup probe failed: {REFUSED}", "Startup"),
    ],
)
def test_who_was_killed_for_its_probe_did_not_crash(code: int, said: str, reason: str) -> None:
    ended = {"terminated": {"exitCode": code, "reason": "Error"}}
    first = troubles(pod(ended, restartCount=2), [event(said)])[0]
    assert (first.state, first.reason) == (State.DOOMED, f"{reason}ProbeFailed")
    assert (
        f"its {reason.lower()} probe failed and it was killed (restarted 2 times)" in first.message
    )


def test_who_crashed_by_itself_crashed() -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    events = [event("Liveness probe failed: connection refused")]
    assert troubles(pod(ended, restartCount=2), events)[0].reason == "CrashLoopBackOff"
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    assert troubles(pod(killed, restartCount=2), events)[0].reason == "OOMKilled"
