"""Reads and writes the record of an environment (see ``envctl.model.record``)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.model import record as records
from envctl.model.objects import CONFIG_MAP, Obj
from envctl.ports.cluster import AlreadyExists

if TYPE_CHECKING:
    from envctl.model.environment import Environment
    from envctl.ports.cluster import Cluster
    from envctl.workflow.writer import Writer


@dataclass(slots=True)
class Store:
    """The record as this run knows it; every change goes to the cluster before it counts."""

    writer: Writer
    record: records.Record = field(default_factory=records.Record)
    exists: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def starting(self, coming: dict[str, records.Deployed]) -> None:
        """Write ahead, in one request, what is about to be applied."""
        if coming:
            await self._write(
                {records.component_key(n): records.dump_component(d) for n, d in coming.items()}
            )
        for name, deployed in coming.items():
            self.record = self.record.with_component(name, deployed)

    async def deployed(self, name: str, deployed: records.Deployed) -> None:
        """A component is deployed, or its inventory has shrunk."""
        await self._write({records.component_key(name): records.dump_component(deployed)})
        self.record = self.record.with_component(name, deployed)

    async def checked(self, name: str, checked: records.Checked) -> None:
        """A check has ended."""
        await self._write({records.check_key(name): records.dump_check(checked)})
        self.record = self.record.with_check(name, checked)

    async def forget(self, component: str) -> None:
        """A component left the file, and its objects are gone."""
        await self._write({records.component_key(component): None})
        left = {n: d for n, d in self.record.components.items() if n != component}
        self.record = records.Record(left, self.record.checks)

    async def _write(self, data: dict[str, str | None]) -> None:
        async with self._lock:
            if self.exists:
                await self.writer.patch(CONFIG_MAP, records.NAME, {"data": data})
                return
            obj: Obj = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": records.NAME},
                "data": data,
            }
            try:
                await self.writer.create(CONFIG_MAP, self.writer.claim(obj, CONFIG_MAP))
            except AlreadyExists:  # by our own request, whose answer was lost
                await self.writer.patch(CONFIG_MAP, records.NAME, {"data": data})
            self.exists = True


async def read(cluster: Cluster, environment: Environment) -> tuple[records.Record, bool]:
    """The record, and whether there is one."""
    found = await cluster.get(CONFIG_MAP, records.NAME, environment.namespace)
    return records.load(found), found is not None
