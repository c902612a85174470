"""Puts the evidence of a failed or interrupted run into the folder that ``--diagnosis`` names."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from envctl.errors import Superseded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from envctl.cli.options import Options
    from envctl.cli.wiring import Wired
    from envctl.errors import EnvctlError
    from envctl.model.failure import Failure
    from envctl.model.plan import ComponentPlan
    from envctl.output.sink import Output


class Diagnosis:
    """Collects once, and only from a namespace that is known to be this environment's.

    ``plans`` is empty until the run has made sure of that.
    """

    def __init__(self, options: Options, out: Output, found: Wired) -> None:
        self.plans: dict[str, ComponentPlan] = {}
        self._root = options.diagnosis
        self._out = out
        self._found = found

    @asynccontextmanager
    async def last_word(self) -> AsyncIterator[None]:
        """A run that is interrupted inside leaves what it can in a few seconds."""
        try:
            yield
        except asyncio.CancelledError:
            from envctl.workflow.collect import LAST_TIMEOUT

            await self._collect(None, LAST_TIMEOUT)
            raise

    async def collect(self, error: EnvctlError | None) -> None:
        """Collect what proves ``error``; nothing where there is none, or where others work now."""
        if error is not None and not isinstance(error, Superseded):
            from envctl.workflow.collect import TIMEOUT

            await self._collect(error.failure, TIMEOUT)

    async def _collect(self, failure: Failure | None, limit: float) -> None:
        if self._root is None or not self.plans or self._out.recorder.evidence is not None:
            return
        from envctl.model.credentials import is_credential
        from envctl.output.folder import DiskFolder
        from envctl.workflow.collect import Collector, Masked

        secrets = tuple(value for name, value in os.environ.items() if is_credential(name))
        collector = Collector(
            self._found.world.cluster, self._found.environment.namespace,
            Masked(DiskFolder(self._root)), self.plans, failure, secrets,
        )  # fmt: skip
        self._out.recorder.evidence = await collector.collect(limit)
