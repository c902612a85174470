"""Tells what the pods of a step spent their time on, for ``--timings``."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from envctl.model import owners
from envctl.model.objects import POD, REPLICA_SET, uid_of
from envctl.model.podphases import phases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envctl.model.objects import Obj, Resource
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run


@contextmanager
def told(run: Run, context: StepContext, applied: list[tuple[Resource, Obj]]) -> Iterator[None]:
    """At the end of the block, emit the phases of the pods that belong to what was applied."""
    try:
        yield
    finally:
        _tell(run, context, applied)


def _tell(run: Run, context: StepContext, applied: list[tuple[Resource, Obj]]) -> None:
    server = run.cluster.server_time()
    if server is None:
        return
    now, began = time.monotonic(), time.monotonic() - run.engine.elapsed()
    for pod in _pods(run, applied):
        name, uid = pod["metadata"]["name"], uid_of(pod)
        for phase in phases(pod, run.tracker.all_events_of(uid)):
            first = now - (server - phase.began).total_seconds()
            last = now - (server - phase.ended).total_seconds()
            if last > began:  # an older pod's past is not this run's time
                what = f"{name}: {phase.name}" if phase.name else name
                context.spent(phase.kind, what, max(first, began), min(max(last, began), now))


def _pods(run: Run, applied: list[tuple[Resource, Obj]]) -> list[Obj]:
    pods, sets = run.tracker.of_kind(POD), run.tracker.of_kind(REPLICA_SET)
    found: dict[str, Obj] = {}
    for _, obj in applied:
        live = run.tracker.live(obj)
        if live is not None:
            found |= {uid_of(pod): pod for pod in owners.current_pods(live, pods, sets)}
    return list(found.values())
