from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from envctl.errors import CheckFailed, EnvctlError, Refused, Superseded, TimedOut, Unavailable
from envctl.model.events import (
    Event,
    GraphPlanned,
    Note,
    Spent,
    StepFinished,
    StepRetried,
    StepStarted,
)
from envctl.model.step import Outcome, RetryPolicy, Step
from envctl.ports import attempt, timing
from envctl.workflow.engine import NET, Engine, StepContext, StepResult, Work, worst
from tests.unit.virtual import FakeClock, virtually

if TYPE_CHECKING:
    from collections.abc import Callable

TWICE = RetryPolicy("twice", attempts=3, first=2.0, cap=15.0)


def run(*works: tuple[Step, Work]) -> tuple[dict[str, StepResult], list[Event], float]:
    events: list[Event] = []

    async def go() -> tuple[dict[str, StepResult], float]:
        engine = Engine(FakeClock(), events.append)
        found = await engine.run(works)
        return found, engine.elapsed()

    results, seconds = virtually(go())
    return results, events, seconds


def step(name: str, *needs: str, timeout: float = 60, retry: RetryPolicy | None = None) -> Step:
    return Step(name, timeout, needs, retry) if retry else Step(name, timeout, needs)


def sleeps(seconds: float, changed: bool = True) -> Work:
    async def work(_: StepContext) -> bool:
        await asyncio.sleep(seconds)
        return changed

    return work


def fails(make: Callable[[], BaseException], after: float = 0.0) -> Work:
    async def work(_: StepContext) -> bool:
        await asyncio.sleep(after)
        raise make()

    return work


def waits(seconds: float) -> Work:
    async def work(context: StepContext) -> bool:
        async with context.only_waiting():
            await asyncio.sleep(seconds)
        return True

    return work


def outcomes(results: dict[str, StepResult]) -> dict[str, str]:
    return {name: str(result.outcome) for name, result in results.items()}


def test_steps_run_as_parallel_as_their_needs_allow() -> None:
    results, events, seconds = run(
        (step("a"), sleeps(5)), (step("b"), sleeps(5)), (step("c", "a", "b"), sleeps(2, False)),
        (step("d", "unknown"), sleeps(1)),
    )  # fmt: skip
    assert seconds == pytest.approx(7)
    assert outcomes(results) == {"a": "succeeded", "b": "succeeded", "c": "unchanged",
                                 "d": "succeeded"}  # fmt: skip
    assert isinstance(events[0], GraphPlanned)
    order = [(type(e), e.step.name) for e in events if isinstance(e, StepStarted | StepFinished)]
    assert order.index((StepStarted, "c")) > order.index((StepFinished, "b"))
    assert results["c"].seconds == pytest.approx(2)


def test_a_failure_ends_who_only_waits_and_lets_writers_finish() -> None:
    results, _, seconds = run(
        (step("bad"), fails(lambda: EnvctlError("no"), 1)), (step("waiter"), waits(50)),
        (step("writer"), sleeps(4)), (step("next", "writer"), sleeps(1)),
        (step("dependant", "bad"), sleeps(1)), (step("far", "dependant"), sleeps(1)),
    )  # fmt: skip
    assert outcomes(results) == {
        "bad": "failed", "waiter": "cancelled", "writer": "succeeded", "next": "skipped",
        "dependant": "skipped", "far": "skipped",
    }  # fmt: skip
    assert seconds == pytest.approx(4)


def test_a_writer_that_comes_to_wait_after_a_failure_stops_there() -> None:
    async def work(context: StepContext) -> bool:
        await asyncio.sleep(3)
        async with context.only_waiting():
            await asyncio.sleep(100)
        return True

    results, _, seconds = run((step("bad"), fails(lambda: EnvctlError("no"), 1)), (step("w"), work))
    assert outcomes(results)["w"] == "cancelled"
    assert seconds == pytest.approx(3)


def test_what_the_server_warns_about_is_said_once() -> None:
    async def work(_: StepContext) -> bool:
        attempt.report_warning("apply Deployment/a", "spec.x is deprecated")
        attempt.report_warning("apply Deployment/b", "spec.x is deprecated")
        attempt.report_warning("apply Deployment/b", "spec.y is deprecated")
        return True

    results, events, _ = run((step("a"), work), (step("b"), work))
    assert outcomes(results) == {"a": "succeeded", "b": "succeeded"}
    notes = [event for event in events if isinstance(event, Note)]
    assert [(note.level, note.message) for note in notes] == [
        ("warning", ("the API server was asked to apply Deployment/a, and warns: spec.x is "
         "deprecated")),
        ("warning", ("the API server was asked to apply Deployment/b, and warns: spec.y is "
         "deprecated")),
    ]  # fmt: skip


def test_only_what_is_unavailable_is_tried_again() -> None:
    tries = {"later": 0, "never": 0}

    async def later(_: StepContext) -> bool:
        tries["later"] += 1
        if tries["later"] < 3:
            raise Unavailable("the cluster is away")
        return True

    async def never(_: StepContext) -> bool:
        tries["never"] += 1
        raise Refused("no")

    results, events, _ = run((step("later", retry=TWICE), later), (step("x", "later"), sleeps(0)))
    assert (outcomes(results)["later"], tries["later"]) == ("succeeded", 3)
    retried = [e for e in events if isinstance(e, StepRetried)]
    assert [(e.attempt, e.policy, e.why) for e in retried] == [
        (1, "twice", "the cluster is away"), (2, "twice", "the cluster is away"),
    ]  # fmt: skip
    assert all(0 < e.delay <= 15 for e in retried)
    results, _, _ = run((step("never", retry=TWICE), never))
    assert (outcomes(results)["never"], tries["never"]) == ("failed", 1)


def test_retries_end_with_the_last_attempt_and_its_error() -> None:
    results, _, _ = run((step("a", retry=TWICE), fails(lambda: Unavailable("away"))))
    assert isinstance(results["a"].error, Unavailable)


def test_retries_never_run_past_the_steps_timeout() -> None:
    slow = fails(lambda: Unavailable("away"), after=9)
    results, _, seconds = run((step("a", timeout=10, retry=TWICE), slow))
    assert isinstance(results["a"].error, Unavailable)
    assert seconds <= 10 + NET


def test_a_step_that_hangs_is_ended_from_outside_and_says_so() -> None:
    results, _, seconds = run((step("a", timeout=10), sleeps(1000)), (step("b", "a"), sleeps(1)))
    assert outcomes(results) == {"a": "timed-out", "b": "skipped"}
    assert isinstance(results["a"].error, TimedOut)
    assert "step a" in str(results["a"].error)
    assert seconds == pytest.approx(10 + NET)


def test_an_inner_timeout_ends_before_the_outer_one() -> None:
    with attempt.within(10) as outer, attempt.within(60) as inner:
        assert inner.deadline == outer.deadline - attempt.MARGIN
        assert attempt.remaining(100) <= 9
        assert attempt.remaining(2) == 2
    assert attempt.remaining(100) == 100


def test_a_cancelled_run_is_cancelled_whole() -> None:
    ended: list[str] = []

    async def work(_: StepContext) -> bool:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("a")
        return True

    async def go() -> None:
        engine = Engine(FakeClock(), lambda _: None)
        task = asyncio.ensure_future(engine.run([(step("a"), work), (step("b", "a"), work)]))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    virtually(go())
    assert ended == ["a"]


def test_a_bug_is_not_swallowed() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        run((step("a"), fails(lambda: KeyError("bug"))))
    assert caught.group_contains(KeyError)


def test_the_error_to_end_with() -> None:
    def result(error: EnvctlError | None) -> StepResult:
        return StepResult(step("x"), Outcome.FAILED, 0.0, error=error)

    check, failed, late = CheckFailed("c"), EnvctlError("f"), TimedOut("t")
    over = Superseded("s")
    assert worst([result(None)]) is None
    assert worst([result(check)]) is check
    assert worst([result(check), result(failed), result(late)]) is failed
    assert worst([result(failed), result(over)]) is over


def test_time_that_is_measured_in_a_step_is_the_steps() -> None:
    async def work(_: StepContext) -> bool:
        with timing.measured("helm", "upgrade db"):
            await asyncio.sleep(3)
        return True

    _, events, _ = run((step("a"), work), (step("b"), sleeps(1)))
    (spent,) = [event for event in events if isinstance(event, Spent)]
    assert spent.step
    assert (spent.step.name, spent.kind, spent.name) == ("a", "helm", "upgrade db")
    assert spent.began <= spent.elapsed
