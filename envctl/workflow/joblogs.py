"""Shows what the pods of Jobs write while they run: a check's output is what people look for."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.objects import POD, Key, Obj, Resource, key_of, uid_of
from envctl.workflow import tracker
from envctl.workflow.hiding import hidden_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable

    from envctl.model.redact import Hidden
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run
    from envctl.workflow.tracker import Subscription

#: Lines of one container that are shown, its first; the rest is to be had with `envctl logs`.
MAX_LINES = 2000


@asynccontextmanager
async def shown(
    run: Run, context: StepContext, applied: list[tuple[Resource, Obj]]
) -> AsyncIterator[None]:
    """While inside, what the pods of these Jobs say is emitted; at the end, the rest of it."""
    jobs = {uid_of(obj) for resource, obj in applied if resource.kind == "Job"}
    if not jobs:
        yield
        return
    keys = [key_of(obj) for _, obj in applied]
    async with following(run, context, keys, lambda: jobs, lambda: _over(run, jobs)):
        yield


@asynccontextmanager
async def following(
    run: Run,
    context: StepContext,
    keys: Iterable[Key],
    jobs: Callable[[], set[str]],
    over: Callable[[], bool],
) -> AsyncIterator[None]:
    """The same for Jobs that may only come to be: ``jobs`` gives the UIDs known so far.

    Leaving it waits a moment until they are ``over`` and their last lines are read.
    """
    with run.tracker.subscribe(keys) as subscription:
        watcher = asyncio.create_task(_watch(run, context, subscription, jobs, over))
        try:
            yield
        finally:
            subscription.wake.set()
            done, pending = await asyncio.wait({watcher}, timeout=1.0)
            for task in pending:
                task.cancel()
            await asyncio.gather(*done, *pending, return_exceptions=True)


async def _watch(
    run: Run,
    context: StepContext,
    subscription: Subscription,
    jobs: Callable[[], set[str]],
    over: Callable[[], bool],
) -> None:
    """Follow each container of each pod once, as soon as it has started."""
    hidden: Hidden | None = None
    streams: dict[tuple[str, str], _Stream] = {}
    reading: list[asyncio.Task[None]] = []
    finished = False
    try:
        while not finished:
            subscription.take()
            for pod in _pods(run, jobs()):
                for name in _running(pod):
                    at = (uid_of(pod), name)
                    if at not in streams:
                        hidden = hidden or await hidden_in(run.cluster, run.environment.namespace)
                        streams[at] = _Stream(run, context, pod, name, hidden)
                        reading.append(asyncio.create_task(streams[at].read()))
                    if pod["metadata"].get("deletionTimestamp"):
                        streams[at].ending.set()
            finished = over()
            if not finished:
                await subscription.wake.wait()
        for stream in streams.values():
            stream.ending.set()
        await asyncio.gather(*reading, return_exceptions=True)
    finally:
        for task in reading:
            task.cancel()


def _pods(run: Run, jobs: set[str]) -> list[Obj]:
    return [
        pod
        for pod in run.tracker.of_kind(POD)
        if any(o.get("uid") in jobs for o in pod["metadata"].get("ownerReferences") or [])
    ]


def _running(pod: Obj) -> list[str]:
    status = pod.get("status") or {}
    found = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return [
        str(container["name"])
        for container in found
        if (container.get("state") or {}).keys() & {"running", "terminated"}
    ]


def _over(run: Run, jobs: set[str]) -> bool:
    from envctl.model import readiness

    found = [o for o in run.tracker.objects.values() if uid_of(o) in jobs]
    states = [readiness.assess(obj).state for obj in found if key_of(obj).kind == "Job"]
    return bool(states) and all(state is not readiness.State.WAITING for state in states)


@dataclass(slots=True)
class _Stream:
    """Shows a container's lines, without what the environment's Secrets hold.

    What is not shown is not read either: the log of a pod that shouts costs its node, the API
    server and envctl the processors on which the lock is to be renewed. Only its end is, once it is
    ``ending``, as a pod that is deleted takes along what it said of why.
    """

    run: Run
    context: StepContext
    pod: Obj
    container: str
    hidden: Hidden
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Until the container has ended; never raises."""
        name = self.pod["metadata"]["name"]
        count = 0
        try:
            async with aclosing(self._lines()) as lines:
                async for line in lines:
                    if count == MAX_LINES:
                        break
                    count += 1
                    self.context.line(name, self.container, self.hidden.mask(line))
                    self._hear(line)
                else:
                    return
            self.context.note(
                "info",
                f"only {MAX_LINES} lines of {name} are shown: see the others with envctl logs",
            )
            await self.ending.wait()
            async with aclosing(self._lines(tail=tracker.MAX_LINES)) as lines:
                async for line in lines:
                    self._hear(line)
        except EnvctlError as error:  # a log that breaks off is no reason to fail the Job
            self.context.note("warning", f"the log of {name} broke off: {error}")

    def _lines(self, tail: int | None = None) -> AsyncGenerator[str]:
        namespace, name = self.run.environment.namespace, self.pod["metadata"]["name"]
        return self.run.cluster.follow(namespace, name, self.container, tail=tail)

    def _hear(self, line: str) -> None:
        for owner in self.pod["metadata"].get("ownerReferences") or []:
            self.run.tracker.hear(str(owner.get("uid", "")), line)
