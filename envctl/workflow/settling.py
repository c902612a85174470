"""The last look before success: what this run has deployed is still ready, and stays it.

Dependants do not wait for it: a component's settling goes on while the next ones are deployed, so
that a run as a whole takes at most one window longer, and one whose containers have readiness
probes takes no longer at all.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.settling import STAYING
from envctl.workflow.waiting import until_ready

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.objects import Obj, Resource
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run


async def settle(run: Run, context: StepContext, components: Iterable[str]) -> None:
    """Return when the components' pods have proved themselves.

    Raises:
        EnvctlError: one of them was ready and is not any more, or TimedOut. Its component is put
            on record as not deployed, so that the next run looks at it again.

    """
    try:
        async with asyncio.TaskGroup() as group:
            for name in components:
                group.create_task(_settle(run, context, name))
    except* EnvctlError as errors:
        raise errors.exceptions[0] from None


async def _settle(run: Run, context: StepContext, name: str) -> None:
    deployed = run.store.record.components[name]
    targets: list[tuple[Resource, Obj]] = [
        (entry.resource, run.tracker.objects[entry.key])
        for entry in deployed.entries
        if entry.resource.kind in STAYING and entry.key in run.tracker.objects
    ]
    try:
        await until_ready(run, context, targets, component=name, settled=True)
    except EnvctlError:
        await run.store.deployed(name, replace(deployed, complete=False))
        raise
