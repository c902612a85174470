"""Takes many environments away: all are on their way out before any of them is waited for.

Each is deleted as ``down`` does it, under its lock and by its UID. The point of no return is one
conditional write: the phase ``Deleting``, on exactly the version of the namespace that was judged.
Whoever changes anything before, ``keep`` say, makes that write fail, and the environment is judged
anew; whoever comes after sees the phase.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Locked, Superseded, Unavailable
from envctl.model.environment import PHASE, Phase
from envctl.model.events import Note, StepRetried
from envctl.model.gc import Fate, Verdict, facts_of
from envctl.model.gcresult import Entry, Outcome
from envctl.model.lease import DURATION
from envctl.model.objects import NAMESPACE, labels_of, uid_of
from envctl.model.record import Record
from envctl.ports.cluster import Conflict
from envctl.workflow import session, stuck
from envctl.workflow.absence import vanished
from envctl.workflow.down import begin
from envctl.workflow.engine import Engine, worst
from envctl.workflow.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from envctl.model.events import Event
    from envctl.model.gc import Facts
    from envctl.model.objects import Obj
    from envctl.workflow.lock import Lock
    from envctl.workflow.session import World
    from envctl.workflow.teardown import Down

#: Environments that are worked on at once.
CONCURRENCY = 24
#: Seconds waited for a lock: a dead run's duration can be seen to pass.
PATIENCE = DURATION + 5
#: Seconds for what is left to prove once the namespace is gone; volumes are released by then.
SETTLE = 60.0
#: Seconds to find out what holds a namespace that did not go.
DIAGNOSE = 30.0
#: Times an environment is judged anew because somebody changed it in between.
ATTEMPTS = 5


@dataclass(slots=True)
class Going:
    """An environment that is on its way out; its absence is not proved yet."""

    facts: Facts
    why: str
    teardown: Down
    gone: bool = False


@dataclass(slots=True)
class Remover:
    """Deletes what ``again`` still says is to be deleted when it comes to it."""

    world: World
    again: Callable[[Facts], Awaitable[Verdict]]
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENCY))

    def __post_init__(self) -> None:
        self.world = replace(self.world, lock_patience=PATIENCE)

    # On its way

    async def start(self, facts: Facts, why: str) -> Going | Outcome:
        """Delete one environment, not waiting for it to be gone."""
        async with self.slots:
            engine = Engine(self.world.clock, self._only_warnings(facts))
            try:
                async with session.lock_of(self.world, facts.environment, engine).held() as lock:
                    return await self._started(facts, why, engine, lock)
            except (Locked, Superseded):
                return _outcome(facts, "kept", "a run works on it")
            except EnvctlError as error:
                return _failed(facts, error)

    async def _started(self, facts: Facts, why: str, engine: Engine, lock: Lock) -> Going | Outcome:
        namespace = await self._decided(facts, lock)
        if isinstance(namespace, Outcome):
            return namespace
        teardown = await begin(self.world, facts.environment, engine, lock, namespace, SETTLE)
        error = worst(list((await engine.run(teardown.deletion())).values()))
        if error is not None:
            raise error
        teardown.record = Record()  # of a thousand environments it would be much to hold
        return Going(facts, why, teardown)

    async def _decided(self, facts: Facts, lock: Lock) -> Obj | Outcome:
        """The namespace, marked as being deleted in exactly the version that was judged last."""
        environment = facts.environment
        writer = Writer(self.world.cluster, environment, lock)
        for _ in range(ATTEMPTS):
            live = await self.world.cluster.get(NAMESPACE, environment.namespace)
            if live is None:
                return _outcome(facts, "deleted", "it was gone already")
            if uid_of(live) != facts.uid or not environment.owns(labels_of(live)):
                return _outcome(facts, "kept", "its namespace is another one by now")
            verdict = await self.again(facts_of(live))
            if verdict.fate is not Fate.DELETE:
                return _outcome(facts, "kept", verdict.why)
            if live["metadata"].get("deletionTimestamp"):
                return live
            meta = {
                "uid": facts.uid,
                "resourceVersion": live["metadata"]["resourceVersion"],
                "annotations": {PHASE: str(Phase.DELETING)},
            }
            with contextlib.suppress(Conflict):
                return await writer.patch(NAMESPACE, environment.namespace, {"metadata": meta})
        return _outcome(facts, "kept", "somebody changes its namespace all the time")

    # Proved

    async def prove(
        self, going: Sequence[Going], timeout: float, seen: Callable[[list[Going]], None]
    ) -> list[Outcome]:
        """How each ended; those that are not gone after ``timeout`` seconds are diagnosed.

        ``seen`` is shown what is still awaited.
        """
        left = {one.facts.info.namespace: one for one in going}
        tasks: list[asyncio.Task[Outcome]] = []
        async with asyncio.TaskGroup() as group:
            with contextlib.suppress(TimeoutError, EnvctlError):
                async with asyncio.timeout(timeout):
                    uids = {name: one.facts.uid for name, one in left.items()}
                    async for name in vanished(self.world.cluster, uids):
                        one = left.pop(name)
                        one.gone = True
                        tasks.append(group.create_task(self._finish(one)))
                        seen(list(left.values()))
            tasks += [group.create_task(self._finish(one)) for one in left.values()]
        return [task.result() for task in tasks]

    async def _finish(self, one: Going) -> Outcome:
        facts, engine = one.facts, one.teardown.engine
        async with self.slots:
            try:
                async with session.lock_of(self.world, facts.environment, engine).held() as lock:
                    return await self._finished(one, lock)
            except (Locked, Superseded):
                if one.gone:  # and whoever makes it anew has the lock
                    return _outcome(facts, "deleted", one.why)
                return await self._stuck(one)
            except EnvctlError as error:
                return _failed(facts, error)

    async def _finished(self, one: Going, lock: Lock) -> Outcome:
        """Under the lock: nobody can have made it anew when its namespace is not there."""
        facts, teardown = one.facts, one.teardown
        live = await self.world.cluster.get(NAMESPACE, facts.info.namespace)
        if live is not None and uid_of(live) != facts.uid:
            return _outcome(facts, "deleted", one.why)
        teardown.timeout = DIAGNOSE if live else SETTLE
        teardown.lock = lock
        teardown.writer = Writer(self.world.cluster, facts.environment, lock)
        error = worst(list((await teardown.engine.run(teardown.proof())).values()))
        if error is None:
            return _outcome(facts, "deleted", one.why)
        if teardown.stuck:
            return Outcome(Entry.of(facts, error.why or error.what), "stuck", tuple(teardown.stuck))
        return _failed(facts, error)

    async def _stuck(self, one: Going) -> Outcome:
        found = await stuck.stuck(
            self.world.cluster, one.facts.environment, one.facts.uid
        )  # fmt: skip
        why = found[0].controller if found else "it went in this moment"
        return Outcome(Entry.of(one.facts, why), "stuck" if found else "deleted", tuple(found))

    def _only_warnings(self, facts: Facts) -> Callable[[Event], None]:
        """A teardown among hundreds says only what is wrong, and of which environment."""

        def emit(event: Event) -> None:
            if isinstance(event, Note) and event.level not in ("info", "debug"):
                said = f"{facts.info.project}/{facts.info.name}: {event.message}"
                self.world.emit(replace(event, message=said, step=None))
            elif isinstance(event, StepRetried):
                self.world.emit(replace(event, step=None))

        return emit


def _outcome(facts: Facts, word: str, why: str) -> Outcome:
    return Outcome(Entry.of(facts, why), word)


def _failed(facts: Facts, error: EnvctlError) -> Outcome:
    """An error in the middle: what is there now is known to nobody, or somebody must act."""
    word = "unknown" if isinstance(error, Unavailable) else "stuck"
    return _outcome(facts, word, str(error))
