"""Opens a run: the lock first, then one look at the namespace and the record."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model import record as records
from envctl.model.objects import NAMESPACE
from envctl.model.settling import Settling
from envctl.ports import timing
from envctl.workflow import store
from envctl.workflow.engine import Engine
from envctl.workflow.lock import Lock
from envctl.workflow.run import Run
from envctl.workflow.tracker import Tracker
from envctl.workflow.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from envctl.config.load import Loaded
    from envctl.model.environment import Environment
    from envctl.model.events import Sink
    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster
    from envctl.ports.sources import Source


@dataclass(frozen=True, slots=True)
class World:
    """The ports that a verb works through."""

    cluster: Cluster
    sources: Mapping[str, Source]
    clock: Clock
    emit: Sink
    run_id: str
    lock_patience: float = 300.0


class NoFence:
    """For verbs that only read: whoever writes without a lock is a bug."""

    async def check(self) -> None:
        """Never allow a write."""
        raise RuntimeError("a write without the lock")


def lock_of(world: World, environment: Environment, engine: Engine) -> Lock:
    """The lock of an environment for this run."""
    return Lock(
        world.cluster,
        world.clock,
        environment,
        lambda text: engine.note("info", text),
        patience=world.lock_patience,
        run_id=world.run_id,
    )


@asynccontextmanager
async def writing(world: World, loaded: Loaded) -> AsyncIterator[Run]:
    """A run that holds the environment's lock; raises Locked, Superseded."""
    engine = Engine(world.clock, world.emit)
    with timing.telling(engine.spent):
        async with _locked(world, loaded, engine) as run:
            yield run


@asynccontextmanager
async def _locked(world: World, loaded: Loaded, engine: Engine) -> AsyncIterator[Run]:
    async with lock_of(world, loaded.environment, engine).held() as lock:
        writer = Writer(world.cluster, loaded.environment, lock)
        async with _opened(world, loaded, engine, writer) as run:
            run.lock = lock
            yield run


@asynccontextmanager
async def reading(world: World, loaded: Loaded) -> AsyncIterator[Run]:
    """A run that writes nothing and so needs no lock."""
    engine = Engine(world.clock, world.emit)
    writer = Writer(world.cluster, loaded.environment, NoFence())
    async with _opened(world, loaded, engine, writer) as run:
        yield run


@asynccontextmanager
async def _opened(
    world: World, loaded: Loaded, engine: Engine, writer: Writer
) -> AsyncIterator[Run]:
    environment = loaded.environment
    namespace, (record, exists) = await asyncio.gather(
        world.cluster.get(NAMESPACE, environment.namespace),
        store.read(world.cluster, environment),
    )
    if namespace is None or namespace["metadata"].get("deletionTimestamp"):
        record, exists = records.Record(), False  # what it lists is going, or gone
    async with Tracker(world.cluster, environment.namespace).open() as tracker:
        yield Run(
            loaded, world.cluster, world.sources, world.clock, engine, writer, tracker,
            store.Store(writer, record, exists), namespace=namespace,
            settling=Settling(loaded.spec.settle),
        )  # fmt: skip
