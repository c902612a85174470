"""Retries by named policy: bounded, jittered, visible, and never past the step's own deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import tenacity

from envctl.errors import Unavailable
from envctl.ports import attempt as attempts
from envctl.ports import timing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from envctl.model.step import RetryPolicy

T = TypeVar("T")
#: Seconds that are waited at most because a server asks for it (Retry-After).
PATIENCE = 60.0


class Transient(Unavailable):
    """Trying again may help. ``after`` is what the server asked for (Retry-After), in seconds."""

    def __init__(self, what: str, *, why: str = "", next: str = "", after: float = 0.0) -> None:
        super().__init__(what, why=why, next=next)
        self.after = after


def _wait(policy: RetryPolicy) -> Callable[[tenacity.RetryCallState], float]:
    jittered = tenacity.wait_random_exponential(multiplier=policy.first * 2, max=policy.cap)

    def seconds(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, Transient) else 0.0
        return max(min(asked, PATIENCE), jittered(state), policy.first)

    return seconds


def _stop(policy: RetryPolicy) -> Callable[[tenacity.RetryCallState], bool]:
    def enough(state: tenacity.RetryCallState) -> bool:
        if state.attempt_number >= policy.attempts:
            return True
        return state.upcoming_sleep >= attempts.remaining(float("inf"))

    return enough


def _tell(policy: RetryPolicy) -> Callable[[tenacity.RetryCallState], None]:
    def tell(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        now = time.monotonic()
        timing.tell("pause", policy.name, now, now + state.upcoming_sleep)
        attempts.report_retry(
            state.attempt_number, policy.name, str(error), round(state.upcoming_sleep, 2)
        )

    return tell


async def retrying(policy: RetryPolicy, call: Callable[[], Awaitable[T]]) -> T:
    """Await ``call()`` until it raises no Transient; the last one is raised when it is enough."""
    controller = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(Transient),
        wait=_wait(policy),
        stop=_stop(policy),
        before_sleep=_tell(policy),
        reraise=True,
    )

    async def once() -> T:  # tenacity awaits what it can see to be a coroutine function
        return await call()

    return await controller(once)
