"""``status``: what there is and how it is, from one look; nothing is written, no lock is taken."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from envctl.errors import Forbidden
from envctl.model import drift, readiness, record, urls
from envctl.model.environment import SYSTEM_NAMESPACE, Environment, info_of
from envctl.model.objects import INGRESS, LEASE, QUOTA
from envctl.model.readiness import Readiness, State
from envctl.model.status import (
    ComponentStatus,
    LockHolder,
    ObjectStatus,
    StatusResult,
    holder_of,
    quota_of,
)
from envctl.workflow import diagnose, store
from envctl.workflow.engine import Engine
from envctl.workflow.existing import existing
from envctl.workflow.live import look
from envctl.workflow.tracker import Tracker
from envctl.workflow.waiting import Wait

if TYPE_CHECKING:
    from envctl.model.objects import Resource
    from envctl.model.record import Deployed, Entry
    from envctl.workflow.session import World


async def status(world: World, environment: Environment, ingress: str) -> StatusResult:
    """Look at an environment; ``ingress`` is where the cluster's ingress controller answers.

    Raises EnvctlError where there is no such environment.
    """
    cluster, name = world.cluster, environment.namespace
    namespace = await existing(cluster, environment)
    (known, _), quotas, ingresses, lock = await asyncio.gather(
        store.read(cluster, environment),
        cluster.list(QUOTA, name),
        cluster.list(INGRESS, name),
        _lock(world, environment),
    )
    tracker = Tracker(cluster, name)
    hidden: set[Resource] = set()
    live, _ = await asyncio.gather(look(cluster, known, name, hidden), tracker.look())
    known = _seen(world, known, hidden)
    for obj in live.values():
        tracker.put(obj)
    info = info_of(namespace)
    components = {n: d for n, d in known.components.items() if n != record.GUARDRAILS}
    return StatusResult(
        environment=info,
        urls=urls.urls(info.url, ingresses, ingress),
        components=tuple(component(tracker, n, d) for n, d in sorted(components.items())),
        checks=tuple(sorted(known.checks.items())),
        quota=quota_of(quotas),
        drift=tuple(str(d) for c in known.components.values() for d in drift.find(c, live)),
        lock=lock,
    )


def _seen(world: World, known: record.Record, hidden: set[Resource]) -> record.Record:
    """The record without kinds that this credential may not read, such as a developer's Secrets."""
    if not hidden:
        return known
    kinds = ", ".join(sorted(resource.plural for resource in hidden))
    Engine(world.clock, world.emit).note(
        "warning", f"this credential may not read {kinds}; they are left out"
    )
    seen = {
        name: replace(d, entries=tuple(e for e in d.entries if e.resource not in hidden))
        for name, d in known.components.items()
    }
    return replace(known, components=seen)


async def _lock(world: World, environment: Environment) -> LockHolder | None:
    """Whoever works on it; a credential confined to the environment cannot see that."""
    try:
        return holder_of(await world.cluster.get(LEASE, environment.namespace, SYSTEM_NAMESPACE))
    except Forbidden as error:
        Engine(world.clock, world.emit).note(
            "warning", f"it cannot be seen whether a run works on it: {error.why}"
        )
        return None


def component(tracker: Tracker, name: str, deployed: Deployed) -> ComponentStatus:
    """One component, judged by the rules that ``up`` waits by."""
    keys = tuple(entry.key for entry in deployed.entries)
    wait = Wait(tracker, name, keys, began=float("-inf"))
    wait.look(set(keys), now=0.0)
    states = [
        _after_all(tracker, deployed, entry, wait.known[entry.key]) for entry in deployed.entries
    ]
    found = tuple(
        ObjectStatus(str(entry.key), state.ready, state.reason)
        for entry, state in zip(deployed.entries, states, strict=True)
    )
    return ComponentStatus(name, deployed.type, _word(deployed, states), found)


def _after_all(tracker: Tracker, deployed: Deployed, entry: Entry, state: Readiness) -> Readiness:
    obj = tracker.objects.get(entry.key)
    if obj is None and deployed.complete and drift.may_be_gone(deployed, entry):
        return readiness.READY
    if obj is not None and state.state is State.DOOMED:
        return readiness.doomed(diagnose.reason_of(tracker, obj, state))
    return state


def _word(deployed: Deployed, states: list[Readiness]) -> str:
    if any(state.state is State.DOOMED for state in states):
        return "failed"
    if not deployed.complete:
        return "unfinished"
    return "ready" if all(state.ready for state in states) else "waiting"
