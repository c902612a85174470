"""Waits until what was applied is ready; ends at once when it never will be, and says why."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, TimedOut
from envctl.model import owners, readiness
from envctl.model.events import Waiting
from envctl.model.objects import POD, Key, Obj, Resource, key_of, uid_of
from envctl.model.readiness import Readiness, State
from envctl.model.settling import STAYING, Settling
from envctl.ports import attempt
from envctl.workflow import diagnose, obstacles
from envctl.workflow.doom import doom, pods_of
from envctl.workflow.inquiry import Inquiry
from envctl.workflow.obstacles import Patience

if TYPE_CHECKING:
    from datetime import datetime

    from envctl.model.obstacle import Obstacle
    from envctl.workflow.engine import StepContext
    from envctl.workflow.links import Links
    from envctl.workflow.run import Run
    from envctl.workflow.tracker import Tracker

#: Seconds in which a custom resource's controller must have said something.
CUSTOM_GRACE = 5.0
#: Seconds that a failing pod's logs and events may take to read, out of the step's own time.
EXPLAIN = 10.0


@dataclass(slots=True)
class Wait:
    """The state of one wait; pure but for the tracker it reads."""

    tracker: Tracker
    component: str
    keys: tuple[Key, ...]
    began: float
    settling: Settling = field(default_factory=Settling)
    #: Whether what is ready must have proved itself, too.
    settled: bool = False
    known: dict[Key, Readiness] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)
    inquiry: Inquiry = field(default_factory=Inquiry)
    links: Links | None = None
    #: Seconds until something has run long enough.
    left: float = 0.0

    def look(self, dirty: set[Key], now: float, wall: datetime | None = None) -> None:
        """Judge again what changed and what is not ready yet."""
        self.left = 0.0
        for key in self.keys:
            current = self.known.get(key)
            if self.settled or key in dirty or current is None or not current.ready:
                self.known[key] = self._settled(key, self._judge(key, now), now, wall)

    def _settled(self, key: Key, found: Readiness, now: float, wall: datetime | None) -> Readiness:
        obj = self.tracker.objects.get(key)
        if obj is None or key.kind not in STAYING or not found.ready:
            return found
        pods = pods_of(self.tracker, obj)
        self.settling.see(pods, now)
        left = self.settling.left(pods, now, wall) if self.settled and wall else 0.0
        if left <= 0:
            return found
        self.left = max(self.left, left)
        return readiness.waiting("it is ready, and must stay so for some seconds")

    def _judge(self, key: Key, now: float) -> Readiness:
        obj = self.tracker.objects.get(key)
        if obj is None:
            return readiness.waiting("it is not there")
        if readiness.awaits_conditions(obj) and now - self.began < CUSTOM_GRACE:
            return readiness.waiting("its controller has not said anything yet")
        found = readiness.assess(obj)
        if found.ready:
            return self._linked(key, obj, now)
        if found.state is State.DOOMED:
            return found
        if self._no_consumer(obj):
            return readiness.READY
        if doom(self.tracker, obj, self.inquiry):
            return readiness.doomed(found.reason)
        obstacle = self.obstacle_of(obj)
        if self.patience.lost(key, obstacle, now):
            return readiness.doomed(found.reason)
        return readiness.waiting(diagnose.reason_of(self.tracker, obj, found))

    def _linked(self, key: Key, obj: Obj, now: float) -> Readiness:
        """Of what is ready in itself: whether it leads where it is meant to."""
        obstacle = self.links.obstacle_of(obj) if self.links else None
        if self.patience.lost(key, obstacle, now):
            return readiness.doomed(obstacle.message if obstacle else "")
        return readiness.waiting(obstacle.words()) if obstacle else readiness.READY

    def obstacle_of(self, obj: Obj) -> Obstacle | None:
        """What stands in the way of an object that is not ready."""
        linked = self.links.obstacle_of(obj) if self.links else None
        return linked or obstacles.obstacle_of(self.tracker, obj)

    def _no_consumer(self, obj: Obj) -> bool:
        """A claim that binds with its first pod is as ready as it can be without one."""
        if obj.get("kind") != "PersistentVolumeClaim":
            return False
        events = self.tracker.events.values()
        return any(
            event.get("reason") == "WaitForFirstConsumer"
            and event["involvedObject"].get("uid") == uid_of(obj)
            for event in events
        )

    def unready(self) -> list[tuple[Key, Obj | None, Readiness]]:
        """What is not ready, the hopeless first."""
        found = [
            (key, self.tracker.objects.get(key), state)
            for key, state in self.known.items()
            if not state.ready
        ]
        return sorted(found, key=lambda item: item[2].state is not State.DOOMED)

    @property
    def hopeless(self) -> bool:
        """Whether anything will never be ready."""
        return any(state.state is State.DOOMED for state in self.known.values())


async def until_ready(
    run: Run,
    context: StepContext,
    applied: list[tuple[Resource, Obj]],
    links: Links | None = None,
    *,
    component: str = "",
    settled: bool = False,
) -> None:
    """Return when every object is ready, and every one of the ``links`` leads somewhere.

    ``settled``: and when their pods have run for as long as ``envctl.model.settling`` asks. Raises
    EnvctlError or TimedOut with the diagnosis.
    """
    targets = [(r, o) for r, o in applied if not readiness.is_static(o)]
    linked = links.keys if links else ()
    if not (targets or linked):
        return
    run.tracker.ensure({resource for resource, _ in targets})
    name = component or context.step.component or context.step.name
    keys = tuple(dict.fromkeys([*(key_of(o) for _, o in targets), *linked]))
    wait = Wait(run.tracker, name, keys, run.clock.monotonic(), run.settling, settled, links=links)
    left = attempt.remaining(context.step.timeout)
    limit = left - min(EXPLAIN / 2, left / 4)
    try:
        async with context.only_waiting():
            async with asyncio.timeout(limit):
                await _settle(run, context, wait)
    except TimeoutError:
        raise await _late(run, wait, left) from None
    if wait.hopeless:
        failure = await diagnose.explain(
            run.tracker, name, wait.unready(), "failed", wait.obstacle_of
        )
        raise EnvctlError(failure.verdict, next=failure.next, failure=failure)
    for remark in links.remarks() if links else ():
        context.note("warning", remark)


async def _settle(run: Run, context: StepContext, wait: Wait) -> None:
    said: tuple[Waiting, ...] = ()
    with run.tracker.subscribe(wait.keys) as subscription:
        while True:
            await _ask(run, wait)
            wait.look(subscription.take(), run.clock.monotonic(), run.clock.now())
            waiting = wait.unready()
            if not waiting or wait.hopeless:
                return
            await _unblock(run, context, wait)
            words = tuple(Waiting(str(key), state.reason) for key, _, state in waiting)
            if words != said:
                said = words
                ready = len(wait.keys) - len(waiting)
                context.progress("waiting", words, ready, len(wait.keys))
            await _next_change(subscription.wake, wait, run.clock.monotonic())
            run.tracker.check()


async def _next_change(wake: asyncio.Event, wait: Wait, now: float) -> None:
    """Until a change is seen, or until something has been patiently awaited for long enough."""
    grace = any(
        readiness.awaits_conditions(obj)
        for key in wait.keys
        if (obj := wait.tracker.objects.get(key)) is not None
    )
    ends = [
        wait.patience.next(now),
        CUSTOM_GRACE if grace else None,
        wait.left or None,
        wait.inquiry.left or None,
    ]
    with contextlib.suppress(TimeoutError):  # the step's own timeout comes as a cancellation
        async with asyncio.timeout(min((end for end in ends if end is not None), default=None)):
            await wake.wait()


async def _ask(run: Run, wait: Wait) -> None:
    found = (run.tracker.objects.get(key) for key in wait.keys if key.kind in STAYING)
    pods = [pod for obj in found if obj for pod in pods_of(run.tracker, obj)]
    await wait.inquiry.ask(run, pods, run.clock.monotonic())


async def _unblock(run: Run, context: StepContext, wait: Wait) -> None:
    """Delete a StatefulSet's broken pod of an older revision, which blocks its rollout for ever."""
    for key, obj, _ in wait.unready():
        if key.kind != "StatefulSet" or obj is None or readiness._unobserved(obj):  # noqa: SLF001
            continue
        for pod in owners.outdated_pods(obj, run.tracker.of_kind(POD)):
            meta = pod["metadata"]
            if meta.get("deletionTimestamp") or readiness.is_true(pod, "Ready"):
                continue
            deleted = await run.writer.delete(POD, meta["name"], uid=uid_of(pod))
            meta["deletionTimestamp"] = "now"
            if deleted:
                context.note(
                    "warning",
                    f"{key} is blocked by pod {meta['name']} of its older revision, which is not "
                    "ready; the pod was deleted so that the rollout goes on",
                )


async def _late(run: Run, wait: Wait, seconds: float) -> TimedOut:
    how = f"was not ready after {seconds:.0f} s"
    with attempt.within(EXPLAIN):
        failure = await diagnose.explain(
            run.tracker, wait.component, wait.unready(), how, wait.obstacle_of
        )
    return TimedOut(failure.verdict, next=failure.next, failure=failure)
