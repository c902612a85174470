"""What gc looks at before it judges: namespaces, locks, records, the time, and the forge's word."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import lease as leases
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.gc import Answer, Facts, Silence, facts_of, whom_to_ask
from envctl.model.lifetime import SKEW
from envctl.model.objects import CONFIG_MAP, LEASE, NAMESPACE, Obj
from envctl.model.record import NAME as RECORD
from envctl.ports.forge import ForgeUnavailable
from envctl.workflow.listing import selector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster
    from envctl.ports.forge import Forge

#: Seconds that one answer of the forge may take, its retries included.
ANSWER_TIMEOUT = 30.0
#: Questions in flight: a forge is shared with everybody.
QUESTIONS = 8
#: Failures one after the other, after which a forge counts as away and is left in peace.
AWAY_AFTER = 3


async def environments(cluster: Cluster, project: str) -> list[Facts]:
    """The environments of a project, or of all: metadata alone, read in pages."""
    found = await cluster.list(NAMESPACE, selector=selector(project), metadata_only=True)
    return sorted(map(facts_of, found), key=lambda facts: facts.info.namespace)


async def locks(cluster: Cluster, project: str) -> dict[str, Obj]:
    """The Leases of the environments, by namespace; those of environments that are gone too."""
    found = await cluster.list(LEASE, SYSTEM_NAMESPACE, selector=selector(project))
    return {lease["metadata"]["name"]: lease for lease in found}


async def worked_on(
    cluster: Cluster, project: str, before: dict[str, Obj], held: Sequence[str]
) -> set[str]:
    """Those of the ``held`` whose run lives: their Lease is renewed while one looks.

    Takes as long as a Lease lasts, for a run that was killed holds its own too; two machines'
    clocks are never compared.
    """
    if not held:
        return set()
    longest = max(leases.duration(before[name]) for name in held)
    await asyncio.sleep(longest + 0.5)
    after = await locks(cluster, project)
    return {
        name
        for name in held
        if name in after
        and leases.holder(after[name])
        and leases.mark(after[name]) != leases.mark(before[name])
    }


async def with_record(cluster: Cluster, facts: Facts) -> Facts:
    """The facts, with whether a run has left its record in the namespace."""
    found = await cluster.get(CONFIG_MAP, RECORD, facts.info.namespace)
    return replace(facts, recorded=found is not None)


def time_of(cluster: Cluster, clock: Clock) -> datetime:
    """The time to judge by: never later than the API server's."""
    return cluster.server_time() or clock.now() - timedelta(seconds=SKEW)


@dataclass(slots=True)
class Asking:
    """Asks the forge how merge requests stand; only a complete answer is one (law 5)."""

    forge: Forge | None
    failures: int = 0
    trouble: str = ""

    @property
    def server(self) -> str:
        """The forge's URL; empty without one."""
        return self.forge.server if self.forge else ""

    async def ask(self, facts: Facts) -> Answer:
        """The forge's answer about the environment's merge request, or why there is none."""
        project = whom_to_ask(facts, self.server)
        if isinstance(project, Silence) or self.forge is None:
            return project if isinstance(project, Silence) else Silence("no forge is configured")
        if self.failures >= AWAY_AFTER:
            return Silence(f"{self.forge.kind} is not asked any more, since it does not answer")
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                answer = await self.forge.merge_request(project, facts.info.merge_request)
        except (EnvctlError, TimeoutError) as error:
            return self._failed(error)
        self.failures = 0
        return answer

    async def ask_all(self, wanted: list[Facts]) -> dict[str, Answer]:
        """The answers by namespace, a few questions at a time."""
        slots = asyncio.Semaphore(QUESTIONS)

        async def one(facts: Facts) -> tuple[str, Answer]:
            async with slots:
                return facts.info.namespace, await self.ask(facts)

        return dict(await asyncio.gather(*map(one, wanted)))

    def _failed(self, error: EnvctlError | TimeoutError) -> Silence:
        if isinstance(error, ForgeUnavailable | TimeoutError):
            self.failures += 1
        said = str(error) or f"no answer within {ANSWER_TIMEOUT:.0f} s"
        self.trouble = self.trouble or said
        return Silence(said.rstrip("."))
