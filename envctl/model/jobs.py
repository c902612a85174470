"""Why a Job has ended badly, in words; its pods may be gone by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model.readiness import conditions

if TYPE_CHECKING:
    from envctl.model.objects import Obj


@dataclass(frozen=True, slots=True)
class JobEnd:
    """The reason as Kubernetes calls it, what that means, and what to do about it."""

    reason: str
    message: str
    next: str = ""


_KNOWN = {
    "DeadlineExceeded": (
        "it took longer than its activeDeadlineSeconds allows",
        "Raise the Job's activeDeadlineSeconds, or make it take less.",
    ),
    "BackoffLimitExceeded": ("it failed as often as its backoff limit allows", ""),
    "MaxFailedIndexesExceeded": ("more of its indexes failed than it allows", ""),
    "FailedIndexes": ("some of its indexes failed", ""),
    "PodFailurePolicy": ("its podFailurePolicy gave it up", ""),
}


def end_of(job: Obj) -> JobEnd | None:
    """Why the Job has failed, or is about to; None while it has not, and for other kinds."""
    if job.get("kind") != "Job":
        return None
    found = conditions(job)
    for kind in ("Failed", "FailureTarget"):
        condition = found.get(kind, {})
        if condition.get("status") == "True":
            reason = str(condition.get("reason") or kind)
            message, advice = _KNOWN.get(reason, (str(condition.get("message") or reason), ""))
            return JobEnd(reason, message, advice)
    return None
