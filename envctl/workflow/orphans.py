"""What environments left behind whose namespace is gone: objects outside of it, and their locks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Locked, Superseded, Unavailable
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.gcresult import Entry, Outcome
from envctl.model.lease import environment_of, is_old
from envctl.model.objects import LEASE, NAMESPACE, annotations_of, uid_of
from envctl.workflow import session
from envctl.workflow.down import outside_only
from envctl.workflow.engine import Engine
from envctl.workflow.leftovers import OUTSIDE
from envctl.workflow.removing import CONCURRENCY, PATIENCE
from envctl.workflow.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from envctl.model.environment import Environment
    from envctl.model.events import Event
    from envctl.model.objects import Obj
    from envctl.workflow.lock import Lock
    from envctl.workflow.session import World


async def sweep(world: World, locks: list[Obj], now: Callable[[], datetime]) -> list[Outcome]:
    """Take away what the Leases remember of environments that are gone, then the old Leases."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(lease: Obj, environment: Environment) -> Outcome | None:
        async with slots:
            return await _one(world, environment, lease, now)

    wanted = [
        (lease, environment)
        for lease in locks
        if OUTSIDE in annotations_of(lease) or is_old(lease, now())
        if (environment := environment_of(lease)) is not None
    ]
    found = await asyncio.gather(*(one(lease, environment) for lease, environment in wanted))
    return [outcome for outcome in found if outcome is not None]


async def _one(
    world: World, environment: Environment, lease: Obj, now: Callable[[], datetime]
) -> Outcome | None:
    engine = Engine(world.clock, _nothing)
    patient = replace(world, lock_patience=PATIENCE)
    entry = Entry(environment.project, environment.name, environment.namespace, "", "leftovers")
    try:
        async with session.lock_of(patient, environment, engine).held() as lock:
            # Under the lock nobody can make it; one that is there is judged by the next run.
            if await world.cluster.get(NAMESPACE, environment.namespace) is not None:
                return None
            if lock.outside():
                return await _outside(world, environment, engine, lock, entry)
            if is_old(lease, now()):
                return await _forgotten(world, lease, lock, entry)
    except (Locked, Superseded):
        return None  # a run works on it
    except EnvctlError as error:
        word = "unknown" if isinstance(error, Unavailable) else "stuck"
        return Outcome(replace(entry, why=str(error)), word)
    return None


async def _outside(
    world: World, environment: Environment, engine: Engine, lock: Lock, entry: Entry
) -> Outcome:
    writer = Writer(world.cluster, environment, lock)
    result, _ = await outside_only(world, environment, engine, lock, writer)
    if result.leftovers:
        why = f"{', '.join(result.leftovers)} did not go"
        return Outcome(replace(entry, why=why), "stuck")
    return Outcome(replace(entry, why="objects outside of its namespace outlived it"), "deleted")


async def _forgotten(world: World, lease: Obj, lock: Lock, entry: Entry) -> Outcome:
    """Delete the Lease while it is held: whoever waits for it finds none and makes a new one."""
    await lock.check()
    name = lease["metadata"]["name"]
    await world.cluster.delete(LEASE, name, SYSTEM_NAMESPACE, uid=uid_of(lease))
    why = "its lock outlived every run that it could still fence off"
    return Outcome(replace(entry, why=why), "deleted")


def _nothing(event: Event) -> None:
    del event
