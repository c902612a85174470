"""Why is it not ready, and is there hope: from live objects, pods and events to culprits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import advice, jobs, owners
from envctl.model.culprits import blamed
from envctl.model.failure import Culprit, Failure
from envctl.model.objects import REPLICA_SET, Key, Obj, uid_of
from envctl.model.readiness import Readiness, State
from envctl.model.telling import telling
from envctl.model.words import count
from envctl.workflow import obstacles
from envctl.workflow.doom import trouble_of
from envctl.workflow.hiding import hidden_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envctl.model.obstacle import Obstacle
    from envctl.model.redact import Hidden
    from envctl.workflow.tracker import Tracker

LOG_LINES = 25
#: Lines that are read, to find the most telling ``LOG_LINES`` among them.
LOG_TAIL = 400
#: Objects that are looked at, to find out how many of them fail for one reason.
MAX_LOOKED_AT = 60
LOGS_AT_ONCE = 8
MAX_EVENTS = 5
#: Reasons that the program itself explains best.
_OF_THE_PROGRAM = {"CrashLoopBackOff", "Error"}


def reason_of(tracker: Tracker, workload: Obj, readiness: Readiness) -> str:
    """Why it is not ready, in one line: what stands in its way says more than a count."""
    obstacle = obstacles.obstacle_of(tracker, workload)
    if obstacle:
        blamed = f"{obstacle.object}: " if obstacle.object else ""
        return f"{readiness.reason}; {blamed}{obstacle.words()}"
    found = trouble_of(tracker, workload)
    if found:
        container = f" ({found[1].container})" if found[1].container else ""
        return f"{readiness.reason}; {found[1].reason}{container}"
    return readiness.reason


async def explain(
    tracker: Tracker,
    component: str,
    unready: Iterable[tuple[Key, Obj | None, Readiness]],
    how: str,
    obstacle_of: Callable[[Obj], Obstacle | None],
) -> Failure:
    """A verdict on why ``component`` is not ready.

    ``how`` says whether it failed or was late, ``obstacle_of`` what is no container's fault.
    """
    listed = list(unready)
    await tracker.read_events()
    looked_at, rest = listed[:MAX_LOOKED_AT], listed[MAX_LOOKED_AT:]
    doomed = sum(item[2].state is State.DOOMED for item in looked_at)  # they come first
    slots = asyncio.Semaphore(LOGS_AT_ONCE)

    async def look(item: tuple[Key, Obj | None, Readiness]) -> Culprit:
        async with slots:
            obstacle = obstacle_of(item[1]) if item[1] else None
            return await _culprit(tracker, component, *item, obstacle)

    hidden, seen = await asyncio.gather(
        hidden_in(tracker.cluster, tracker.namespace), asyncio.gather(*map(look, looked_at))
    )
    found = [_masked(culprit, hidden) for culprit in seen]
    culprits, waiting = blamed(found, doomed)
    waiting += [str(key) for key, _, _ in rest]
    return Failure(
        _verdict(component, how, culprits[0]),
        culprits,
        next((c.next for c in culprits if c.next), "")
        or "Correct what is named above, then run the command again.",
        waiting=tuple(waiting),
    )


async def masked(tracker: Tracker, culprit: Culprit) -> Culprit:
    """The culprit without what the environment's Secrets hold."""
    return _masked(culprit, await hidden_in(tracker.cluster, tracker.namespace))


def _masked(culprit: Culprit, hidden: Hidden) -> Culprit:
    return replace(
        culprit,
        message=hidden.mask(culprit.message),
        logs=tuple(map(hidden.mask, culprit.logs)),
        events=tuple(map(hidden.mask, culprit.events)),
    )


def _verdict(component: str, how: str, first: Culprit) -> str:
    verdict = f"{component} {how}: {first.object}"
    if first.also:
        verdict += f" and {count(len(first.also), 'other')}"
    verdict += f" ({first.container})" if first.container else ""
    verdict += f": {first.message}" if first.message else ""
    return verdict.rstrip(".") + "."


async def _culprit(
    tracker: Tracker,
    component: str,
    key: Key,
    workload: Obj | None,
    readiness: Readiness,
    obstacle: Obstacle | None,
) -> Culprit:
    if workload is None:
        return Culprit(str(key), component, "Missing", readiness.reason or "it does not exist")
    found = trouble_of(tracker, workload)
    end = jobs.end_of(workload)
    if end is not None:
        return await _of_job(tracker, component, key, workload, end)
    if found is None or (obstacle and found[1].state is not State.DOOMED):
        return _without_container(tracker, component, key, workload, readiness, obstacle)
    pod, trouble = found
    name = pod["metadata"]["name"]
    container = trouble.container or _only_container(pod)
    logs = await log_of(tracker, name, container, previous=trouble.previous)
    if advice.is_final(logs):
        trouble = replace(trouble, message=f"it can never run: {logs[-1]}")
    return Culprit(
        object=str(key),
        component=component,
        container=trouble.container,
        reason=trouble.reason,
        message=trouble.message,
        logs=logs,
        events=_events(tracker, [workload, pod]),
        next=(advice.next_step(logs) if trouble.reason in _OF_THE_PROGRAM else "") or trouble.next,
    )


async def _of_job(
    tracker: Tracker, component: str, key: Key, job: Obj, end: jobs.JobEnd
) -> Culprit:
    """A Job that failed: its pods may be gone, so that what they said is what was heard of them."""
    found = trouble_of(tracker, job)
    pod, trouble = found or (None, None)
    logs = telling(list(tracker.said.get(uid_of(job), ())), LOG_LINES)
    if pod and trouble and not logs:
        container = trouble.container or _only_container(pod)
        logs = await log_of(tracker, pod["metadata"]["name"], container, previous=trouble.previous)
    next_step = end.next or (trouble.next if trouble else "")
    return Culprit(
        object=str(key),
        component=component,
        container=trouble.container if trouble else "",
        reason=end.reason,
        message=f"{trouble.message}: {end.message}" if trouble else end.message,
        logs=logs,
        events=_events(tracker, [job, *([pod] if pod else [])]),
        next=advice.next_step(logs) or next_step,
    )


def _without_container(
    tracker: Tracker,
    component: str,
    key: Key,
    workload: Obj,
    readiness: Readiness,
    obstacle: Obstacle | None,
) -> Culprit:
    makers = [workload]
    if workload.get("kind") == "Deployment":
        makers += owners.current_replica_sets(workload, tracker.owned_by(workload, REPLICA_SET))
    pods = tracker.pods_of(workload)
    events = _events(tracker, [*makers, *pods])
    if obstacle is None:
        return Culprit(str(key), component, "NotReady", readiness.reason, events=events)
    return Culprit(
        obstacle.object or str(key), component, obstacle.reason, obstacle.message,
        events=events, next=obstacle.next,
    )  # fmt: skip


async def log_of(
    tracker: Tracker, pod: str, container: str, *, previous: bool = False
) -> tuple[str, ...]:
    """The telling lines of a container, of its previous run where that is the one that crashed."""
    if not container:
        return ()
    try:
        found = await tracker.cluster.logs(
            tracker.namespace, pod, container, tail=LOG_TAIL, previous=previous
        )
        if not found and previous:
            found = await tracker.cluster.logs(tracker.namespace, pod, container, tail=LOG_TAIL)
    except EnvctlError:  # a log that cannot be had must not hide the failure it would explain
        return ()
    return telling(found, LOG_LINES)


def _only_container(pod: Obj) -> str:
    found = (pod.get("spec") or {}).get("containers") or []
    return str(found[0].get("name", "")) if len(found) == 1 else ""


def _events(tracker: Tracker, found: list[Obj]) -> tuple[str, ...]:
    lines: list[str] = []
    for obj in found:
        for event in tracker.events_of(uid_of(obj), obj["metadata"]["name"]):
            number = (event.get("series") or {}).get("count") or event.get("count") or 1
            times = f" ({number} times)" if number > 1 else ""
            lines.append(f"{event.get('reason', '')}: {event.get('message', '')}{times}")
    return tuple(dict.fromkeys(lines))[-MAX_EVENTS:]
