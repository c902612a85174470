"""The last look before success, on whole runs: what was ready and dies is no success."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from envctl.model import record
from envctl.model.objects import POD, Obj
from envctl.model.settling import WINDOW
from tests.unit.workflow.world import Shop, config

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
components:
  - {name: web, manifests: [web.yaml], timeout: 60s}
  - {name: late, needs: [web], manifests: [late.yaml]}
"""
KEY = ("", "Pod", "shop-fix", "web")
BEGAN = "2026-01-01T00:00:00Z"


def a_pod(**container: Any) -> Obj:
    found = {"name": "web", "image": "web", **container}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
            "spec": {"containers": [found]}}  # fmt: skip


class Kubelet:
    """Runs the pod once it is applied; ``dies`` is after how many seconds it ends."""

    def __init__(self, shop: Shop, dies: float = 0.0) -> None:
        self.shop, self.dies = shop, dies
        shop.cluster.after = self.after

    def after(self, verb: str, what: str) -> None:
        if (verb, what) == ("apply", "Pod/web"):
            self.tell(ready=True, state={"running": {"startedAt": BEGAN}})
            if self.dies:
                asyncio.get_running_loop().call_later(self.dies, self.end)

    def end(self) -> None:
        ended = {"exitCode": 137, "reason": "OOMKilled"}
        self.tell(ready=False, state={"terminated": ended})

    def tell(self, *, ready: bool, state: Obj) -> None:
        pod = self.shop.cluster.store[KEY]
        pod["status"] = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [
                {"name": "web", "ready": ready, "restartCount": 0, "state": state}
            ],
        }
        self.shop.cluster.put(POD, pod)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.write(FILE, web=[a_pod()], late=[config("late")])
    return found


def complete(shop: Shop) -> dict[str, bool]:
    found = record.load(shop.cluster.store.get(("", "ConfigMap", "shop-fix", record.NAME)))
    return {name: done.complete for name, done in found.components.items()}


def test_what_nobody_probes_must_run_for_the_window(shop: Shop) -> None:
    Kubelet(shop)
    result, error = shop.up()
    assert error is None
    assert WINDOW <= result.seconds < WINDOW + 2
    assert all(complete(shop).values())


def test_what_its_probe_calls_ready_is_believed_at_once(shop: Shop) -> None:
    probed = a_pod(readinessProbe={"tcpSocket": {"port": 80}})
    shop.write(FILE, web=[probed], late=[config("late")])
    Kubelet(shop)
    result, error = shop.up()
    assert error is None
    assert result.seconds < WINDOW / 2


def test_dependants_do_not_wait_for_it(shop: Shop) -> None:
    Kubelet(shop, dies=WINDOW - 1)
    assert shop.up()[1] is not None
    assert "ConfigMap/late" in shop.names()


@pytest.mark.parametrize("dies", [0.5, WINDOW - 1])
def test_what_dies_within_the_window_is_no_success(shop: Shop, dies: float) -> None:
    Kubelet(shop, dies)
    result, error = shop.up()
    assert error is not None
    assert result.result in ("failed", "timed-out")
    assert result.failure is not None
    assert [c.object for c in result.failure.culprits] == ["Pod/web"]
    assert {name: done for name, done in complete(shop).items() if name != record.GUARDRAILS} == {
        "web": False,
        "late": True,
    }


def test_the_next_run_looks_at_it_again(shop: Shop) -> None:
    Kubelet(shop, dies=1.0)
    assert shop.up()[1] is not None
    Kubelet(shop)
    result, error = shop.up()
    assert error is None
    assert all(complete(shop).values())
    assert [c.name for c in result.components if c.changed] == ["web"]


def test_what_did_not_change_need_not_prove_itself_again(shop: Shop) -> None:
    Kubelet(shop)
    assert shop.up()[1] is None
    result, error = shop.up()
    assert error is None
    assert (result.result, result.seconds < 1) == ("unchanged", True)
