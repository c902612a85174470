"""What a step is: a name, a timeout, a retry policy, what it needs."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Outcome(enum.StrEnum):
    """How a step, or one attempt of it, ended."""

    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"
    TIMED_OUT = "timed-out"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"

    @property
    def good(self) -> bool:
        """Whether steps that need this one may run."""
        return self in (Outcome.SUCCEEDED, Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A named, bounded way to try again, for transient errors only.

    ``attempts`` counts the first one too; delays are seconds, doubled from ``first`` up to ``cap``
    with full jitter. The timeout of the step bounds them all.
    """

    name: str
    attempts: int
    first: float
    cap: float


#: One request to the API server: reads, and writes that are idempotent (apply, delete by UID).
API = RetryPolicy("api", attempts=8, first=0.1, cap=5.0)
#: A whole run of helm, when it says that the cluster did not answer.
HELM = RetryPolicy("helm", attempts=3, first=1.0, cap=10.0)
#: A question to the forge, or a write together with the look that says whether it is needed.
FORGE = RetryPolicy("forge", attempts=5, first=0.5, cap=8.0)
#: A step that must not be repeated as a whole.
ONCE = RetryPolicy("once", attempts=1, first=0.0, cap=0.0)


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the graph. ``timeout`` is seconds; ``needs`` names steps that must end well first.

    ``component`` is the envctl.yaml component it belongs to, or empty; ``kind`` says how to show it
    (``helm``, ``kustomize``, ``manifests``, ``job``, ``check``, ``stage``).
    """

    name: str
    timeout: float
    needs: tuple[str, ...] = ()
    retry: RetryPolicy = ONCE
    component: str = ""
    kind: str = "stage"
