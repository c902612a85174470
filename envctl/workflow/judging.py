"""Looks at every environment and judges it; judges one anew right before it is deleted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envctl.model.forge import ForgeProject
from envctl.model.gc import Answer, Facts, Fate, Verdict, asks, ends_within, judge, whom_to_ask
from envctl.model.lease import DURATION, holder
from envctl.workflow import collecting

if TYPE_CHECKING:
    from datetime import datetime

    from envctl.model.objects import Obj
    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster
    from envctl.workflow.collecting import Asking
    from envctl.workflow.engine import StepContext


@dataclass(slots=True)
class Judging:
    """The environments of a project (or of all), their locks, and what is to happen to each."""

    cluster: Cluster
    clock: Clock
    asking: Asking
    project: str
    facts: list[Facts] = field(default_factory=list)
    locks: dict[str, Obj] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def now(self) -> datetime:
        """The time to judge by."""
        return collecting.time_of(self.cluster, self.clock)

    def of(self, fate: Fate) -> list[tuple[Facts, Verdict]]:
        """Those with this fate, and why."""
        judged = ((facts, self.verdicts.get(facts.info.namespace)) for facts in self.facts)
        return [(facts, verdict) for facts, verdict in judged if verdict and verdict.fate is fate]

    async def look(self, context: StepContext) -> bool:
        """See what there is; raises Unavailable, Forbidden."""
        context.progress("listing")
        cluster, project = self.cluster, self.project
        self.facts = await collecting.environments(cluster, project)
        self.locks = await collecting.locks(cluster, project)
        return False

    async def judge(self, context: StepContext) -> bool:
        """Decide on each, the forge asked where that decides it."""
        now = self.now()
        asked = [facts for facts in self.facts if asks(facts, now)]
        context.progress("asking the forge", total=len(asked))
        answers = await self.asking.ask_all(asked)
        if self.asking.trouble:
            context.note("warning", f"not every merge request could be asked about, so what "
                         f"depends on them is kept: {self.asking.trouble}")  # fmt: skip
        await self._see_locks(context, answers)
        self.facts = [await self._with_record(facts) for facts in self.facts]
        self.verdicts = {
            facts.info.namespace: judge(facts, answers.get(facts.info.namespace), self.now())
            for facts in self.facts
        }
        return False

    async def _see_locks(self, context: StepContext, answers: dict[str, Answer]) -> None:
        """Mark what a run works on; only where it matters, since seeing it takes its time."""
        at_stake = [
            facts.info.namespace
            for facts in self.facts
            if judge(facts, answers.get(facts.info.namespace), self.now()).fate is not Fate.KEEP
        ]
        locked = [name for name in at_stake if name in self.locks and holder(self.locks[name])]
        if locked:
            named = ", ".join(locked[:5]) + (" and others" if locked[5:] else "")
            context.note("info", f"looking for {DURATION:.0f} s whether a run works on {named}")
        held = await collecting.worked_on(self.cluster, self.project, self.locks, locked)
        self.facts = [replace(f, locked=f.info.namespace in held) for f in self.facts]

    async def _with_record(self, facts: Facts) -> Facts:
        if facts.used or facts.deleting_since or judge(facts, None, self.now()).fate is Fate.KEEP:
            return facts
        return await collecting.with_record(self.cluster, facts)

    async def again(self, facts: Facts) -> Verdict:
        """The verdict on an environment as it is now; the forge is asked once more."""
        answer = await self.asking.ask(facts) if asks(facts, self.now()) else None
        return judge(facts, answer, self.now())

    def to_warn(self, before: float) -> list[tuple[Facts, datetime]]:
        """What ends within ``before`` seconds, and when; only where there is somebody to tell."""
        return [
            (facts, end)
            for facts, _ in self.of(Fate.KEEP)
            if facts.info.merge_request
            if isinstance(whom_to_ask(facts, self.asking.server), ForgeProject)
            if (end := ends_within(facts, before, self.now())) is not None
        ]
