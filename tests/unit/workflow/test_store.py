"""The record of an environment is written even where an answer was lost."""

from __future__ import annotations

from envctl.model import record
from envctl.model.environment import Environment
from envctl.model.objects import CONFIG_MAP
from envctl.workflow.session import NoFence
from envctl.workflow.store import Store
from envctl.workflow.writer import Writer
from tests.unit.fakes import FakeCluster


class Open(NoFence):
    async def check(self) -> None:
        """Allow every write."""


async def test_a_record_that_our_own_lost_request_has_made_is_written_to() -> None:
    cluster = FakeCluster()
    cluster.put(CONFIG_MAP, {"metadata": {"name": record.NAME, "namespace": "shop-fix"}})
    store = Store(Writer(cluster, Environment("shop", "fix", "shop-fix"), Open()))
    await store.checked("smoke", record.Checked("d", passed=True, seconds=1.0))
    found = await cluster.get(CONFIG_MAP, record.NAME, "shop-fix")
    assert record.load(found).checks["smoke"].passed
    assert store.exists
