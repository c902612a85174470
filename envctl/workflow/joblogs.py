"""Shows what the pods of Jobs write while they run: a check's output is what people look for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.objects import POD, Key, Obj, Resource, key_of, uid_of
from envctl.workflow.hiding import hidden_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from envctl.model.redact import Hidden
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run
    from envctl.workflow.tracker import Subscription

#: Lines of one container that are shown; the rest is to be had with `envctl logs`.
MAX_LINES = 2000


@asynccontextmanager
async def shown(
    run: Run, context: StepContext, applied: list[tuple[Resource, Obj]]
) -> AsyncIterator[None]:
    """While inside, every line of every pod of these Jobs is emitted; at the end, the rest."""
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
    started: set[tuple[str, str]] = set()
    streams: list[asyncio.Task[None]] = []
    finished = False
    try:
        while not finished:
            subscription.take()
            for pod in _pods(run, jobs()):
                for name in _running(pod):
                    if (uid_of(pod), name) not in started:
                        started.add((uid_of(pod), name))
                        hidden = hidden or await hidden_in(run.cluster, run.environment.namespace)
                        reading = _stream(run, context, pod, name, hidden)
                        streams.append(asyncio.create_task(reading))
            finished = over()
            if not finished:
                await subscription.wake.wait()
        await asyncio.gather(*streams, return_exceptions=True)
    finally:
        for stream in streams:
            stream.cancel()


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


async def _stream(run: Run, context: StepContext, pod: Obj, container: str, hidden: Hidden) -> None:
    """Show a container's lines, without what the environment's Secrets hold.

    The lock is to be renewed beside it: what is not shown must cost next to nothing.
    """
    name = pod["metadata"]["name"]
    count = 0
    try:
        async for line in run.cluster.follow(run.environment.namespace, name, container):
            count += 1
            if count <= MAX_LINES:
                context.line(name, container, hidden.mask(line))
            for owner in pod["metadata"].get("ownerReferences") or []:
                run.tracker.hear(str(owner.get("uid", "")), line)
        if count > MAX_LINES:
            context.note("info", f"{count - MAX_LINES} more lines of {name} are not shown")
    except EnvctlError as error:  # a log that breaks off is no reason to fail the Job
        context.note("warning", f"the log of {name} broke off: {error}")
