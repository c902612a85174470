"""What a failing probe says about the container that it asks.

The kubelet's words are those of k8s.io/kubernetes/pkg/kubelet/prober and of Go's HTTP client.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.model.trouble import Trouble

_SLOW = {
    "liveness": "A process that is only slow to start wants a startupProbe.",
    "startup": "Raise the startup probe's failureThreshold if the process is only slow.",
}
#: Exit codes of a process that was told to end, or killed because it did not.
_ENDED_FROM_OUTSIDE = (0, 137, 143)
_SAID = re.compile(r"^(Readiness|Liveness|Startup) probe (?:failed|errored)[^:]*: ", re.IGNORECASE)
_NEXT = (
    (
        re.compile(r"HTTP response to HTTPS client|first record does not look like a TLS"),
        "Correct the probe's scheme: the program speaks HTTP there, and not HTTPS.",
    ),
    (
        re.compile(r"malformed HTTP|HTTP request to an HTTPS server|statuscode: 400"),
        "Correct the probe's scheme or port: what answers there speaks no plain HTTP.",
    ),
    (
        re.compile(r"connection refused|connection reset"),
        "Make the probe's port the one that the program listens on, on all addresses.",
    ),
    (
        re.compile(r"statuscode: (?:401|403|404)"),
        "Correct the probe's path to one that answers without a login.",
    ),
    (
        re.compile(r"statuscode: "),
        "Read its log above for why it answers so; the probe asks what its path says.",
    ),
    (
        re.compile(r"deadline exceeded|Client\.Timeout|timed out|i/o timeout"),
        "Make what the probe asks answer faster, or raise the probe's timeoutSeconds.",
    ),
)


_ANY = "Correct the probe, or what it asks: it says what it found, in the words above."


def last_failure(events: list[Obj], container: str, *kinds: str) -> tuple[str, str]:
    """Which probe of a container failed last and with what words; empty where none did."""
    for event in reversed(events):
        path = (event.get("involvedObject") or {}).get("fieldPath", "")
        message = event.get("message", "")
        found = _SAID.match(message)
        if event.get("reason") == "Unhealthy" and found and path.endswith(f"{{{container}}}"):
            kind = found.group(1).lower()
            if kind in kinds:
                return kind, " ".join(message[found.end() :].split())
    return "", ""


def of_unready(trouble: Trouble, events: list[Obj]) -> Trouble:
    """Why a running container is not ready: in the words of the probe that failed last."""
    kind, said = last_failure(events, trouble.container, "readiness", "startup")
    if not kind:
        return trouble
    return replace(trouble, message=f"its {kind} probe has not succeeded: {said}", next=_next(said))


def of_crash(trouble: Trouble, events: list[Obj], code: int, times: str) -> Trouble:
    """A container that ends because its probe has it killed did not crash by itself."""
    kind, said = last_failure(events, trouble.container, "liveness", "startup")
    if not kind or code not in _ENDED_FROM_OUTSIDE or trouble.reason == "OOMKilled":
        return trouble
    return replace(
        trouble,
        reason=f"{kind.capitalize()}ProbeFailed",
        message=f"its {kind} probe failed and it was killed ({times}): {said}",
        next=f"{_next(said)} {_SLOW[kind]}".strip(),
    )


def _next(said: str) -> str:
    return next((advice for pattern, advice in _NEXT if pattern.search(said)), _ANY)
