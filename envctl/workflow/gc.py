"""``gc``: take away what nobody needs any more, and nothing else.

Look, judge (``envctl.model.gc`` says by which rules), warn, delete, prove. Each environment is
judged again right before its deletion. A run that would delete more than its limit deletes nothing,
so that one wrong answer cannot empty a cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.events import Waiting
from envctl.model.gc import Fate, most_deletions
from envctl.model.gcresult import Entry, GcResult, Outcome
from envctl.model.step import Outcome as StepOutcome
from envctl.model.step import RetryPolicy, Step
from envctl.workflow import collecting, orphans
from envctl.workflow.collecting import Asking
from envctl.workflow.engine import Engine, StepContext, Work, worst
from envctl.workflow.gcend import error_of, refusal
from envctl.workflow.judging import Judging
from envctl.workflow.removing import Going, Remover
from envctl.workflow.stuck import stuck as held_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from envctl.model.gc import Facts
    from envctl.model.objects import Obj
    from envctl.ports.forge import Forge
    from envctl.workflow.session import World

    Warn = Callable[[Facts, datetime], Awaitable[None]]

STEP = RetryPolicy("step", attempts=3, first=2.0, cap=15.0)
LOOK_TIMEOUT = 180.0
JUDGE_TIMEOUT = 600.0
WARN_TIMEOUT = 180.0
DELETE_TIMEOUT = 1800.0
#: Seconds after ``--timeout`` in which what did not go is diagnosed.
DIAGNOSIS = 120.0
#: Environments that are diagnosed at once: each is a look at every kind there is.
DIAGNOSES = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. ``max_delete`` None is the default; ``warn_before`` is seconds."""

    project: str = ""
    max_delete: int | None = None
    really: bool = False
    dry_run: bool = False
    warn_before: float = 0.0
    timeout: float = 300.0


@dataclass(slots=True)
class Gc:
    """One run of gc."""

    world: World
    judging: Judging
    wanted: Wanted
    warn: Warn
    engine: Engine
    going: list[Going] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    would: list[Entry] = field(default_factory=list)
    refused: str = ""
    warned: int = 0

    def works(self) -> list[tuple[Step, Work]]:
        """The steps, one after the other."""
        proof = self.wanted.timeout + DIAGNOSIS
        return [
            (Step("look", LOOK_TIMEOUT, (), STEP), self.judging.look),
            (Step("judge", JUDGE_TIMEOUT, ("look",), STEP), self.judging.judge),
            (Step("warn", WARN_TIMEOUT, ("judge",)), self._warn),
            (Step("delete", DELETE_TIMEOUT, ("warn",)), self._delete),
            (Step("prove", proof, ("delete",)), self._prove),
        ]

    @property
    def limit(self) -> int:
        """How many environments this run may delete."""
        return most_deletions(self.seen, self.wanted.max_delete)

    @property
    def seen(self) -> int:
        """How many environments there are."""
        return len(self.judging.facts)

    async def _warn(self, context: StepContext) -> bool:
        """Tell the merge requests whose environments end soon; a note is worth no failed run."""
        if not self.wanted.warn_before or self.wanted.dry_run:
            return False
        failures = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WARN_TIMEOUT - 10):
                for facts, end in self.judging.to_warn(self.wanted.warn_before):
                    failures = 0 if await self._warned(context, facts, end) else failures + 1
                    if failures >= collecting.AWAY_AFTER:
                        break
        return self.warned > 0

    async def _warned(self, context: StepContext, facts: Facts, end: datetime) -> bool:
        try:
            await self.warn(facts, end)
        except EnvctlError as error:
            name = f"{facts.info.project}/{facts.info.name}"
            context.note("warning", f"{name} ends soon, and nobody could be told: {error}")
            return False
        self.warned += 1
        return True

    async def _delete(self, context: StepContext) -> bool:
        chosen = self.judging.of(Fate.DELETE)
        decided = sum(not verdict.begun for _, verdict in chosen)
        if decided > self.limit and not self.wanted.really:
            self.refused = refusal(decided, self.seen, self.limit)
        if self.refused or self.wanted.dry_run:
            self.would = [Entry.of(facts, verdict.why) for facts, verdict in chosen]
            return False
        remover = Remover(self.world, self.judging.again)
        context.progress("deleting", total=len(chosen))
        done = 0

        async def one(facts: Facts, why: str) -> None:
            nonlocal done
            self._take(await remover.start(facts, why))
            done += 1
            context.progress("deleting", ready=done, total=len(chosen))

        async with asyncio.TaskGroup() as group:
            for facts, verdict in chosen:
                group.create_task(one(facts, verdict.why))
        for outcome in await orphans.sweep(self.world, self._orphans(), self.judging.now):
            self.outcomes[f"leftovers {outcome.entry.namespace}"] = outcome
        return bool(chosen)

    def _take(self, found: Going | Outcome) -> None:
        if isinstance(found, Outcome):
            self.outcomes[found.entry.namespace] = found
        else:
            self.going.append(found)

    def _orphans(self) -> list[Obj]:
        there = {facts.info.namespace for facts in self.judging.facts}
        return [lease for name, lease in self.judging.locks.items() if name not in there]

    async def _prove(self, context: StepContext) -> bool:
        def seen(left: list[Going]) -> None:
            names = [Waiting(f"Namespace/{one.facts.info.namespace}", one.why) for one in left]
            ready = len(self.going) - len(left)
            context.progress("waiting", names, ready, len(self.going))

        if self.going:
            seen(self.going)
            remover = Remover(self.world, self.judging.again)
            for outcome in await remover.prove(self.going, self.wanted.timeout, seen):
                self.outcomes[outcome.entry.namespace] = outcome
        await self._diagnose()
        return bool(self.going)

    async def _diagnose(self) -> None:
        slots = asyncio.Semaphore(DIAGNOSES)

        async def one(facts: Facts) -> None:
            async with slots:
                self.outcomes[facts.info.namespace] = await self._diagnosed(facts)

        await asyncio.gather(*(one(facts) for facts, _ in self.judging.of(Fate.STUCK)))

    async def _diagnosed(self, facts: Facts) -> Outcome:
        why = self.judging.verdicts[facts.info.namespace].why
        found = await held_by(self.world.cluster, facts.environment, facts.uid)
        word = "stuck" if found else "deleted"
        return Outcome(Entry.of(facts, why), word, tuple(found))

    def result(self) -> GcResult:
        """What was done, and of what is not known how it ended, that it is not."""
        proved = {outcome.entry.namespace for outcome in self.outcomes.values()}
        for one in self.going:
            if one.facts.info.namespace not in proved:
                entry = Entry.of(one.facts, f"{one.why}; it was deleted, and may not be gone yet")
                self.outcomes[entry.namespace] = Outcome(entry, "unknown")
        planned = {entry.namespace for entry in self.would}
        for facts in self.judging.facts:
            name = facts.info.namespace
            if name not in self.outcomes and name not in planned:
                why = (
                    self.judging.verdicts[name].why
                    if name in self.judging.verdicts
                    else "it was not judged"
                )
                self.outcomes[name] = Outcome(Entry.of(facts, why), "kept")
        return GcResult(
            tuple(self.outcomes[key] for key in sorted(self.outcomes)),
            tuple(self.would), self.refused, self.wanted.dry_run, self.seen, self.limit,
            self.warned, self.engine.elapsed(),
        )  # fmt: skip


async def gc(
    world: World, forge: Forge | None, wanted: Wanted, warn: Warn
) -> tuple[GcResult, EnvctlError | None]:
    """Run gc; what it did, and the error to exit with if not all went as it should.

    Raises Unavailable, Forbidden where the cluster cannot even be looked at.
    """
    engine = Engine(world.clock, world.emit)
    judging = Judging(world.cluster, world.clock, Asking(forge), wanted.project)
    run = Gc(world, judging, wanted, warn, engine)
    results = await engine.run(run.works())
    error = worst(list(results.values()))
    if error is not None and results["look"].outcome is not StepOutcome.UNCHANGED:
        raise error
    result = run.result()
    return result, error or error_of(result)
