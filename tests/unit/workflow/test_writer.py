from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import Refused, Superseded
from envctl.model.environment import Environment
from envctl.model.objects import CONFIG_MAP, NAMESPACE, Resource
from envctl.workflow.writer import Writer, finished
from tests.unit.fakes import FakeCluster
from tests.unit.virtual import virtually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ENVIRONMENT = Environment("shop", "fix", "shop-fix")
ROLE = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}


@dataclass
class Fence:
    open: bool = True
    asked: int = 0

    async def check(self) -> None:
        self.asked += 1
        if not self.open:
            raise Superseded("Pipeline 9 has taken over.")


def writer(*, open_: bool = True) -> Writer:
    cluster = FakeCluster()
    cluster.put(NAMESPACE, {"metadata": {"name": "shop-fix"}})
    return Writer(cluster, ENVIRONMENT, Fence(open_))


def claimed(obj: dict[str, Any], resource: Resource = CONFIG_MAP) -> dict[str, Any]:
    return writer().claim(obj, resource, "web")


def test_a_claim_puts_an_object_into_its_environment() -> None:
    evil = {**CONFIG, "metadata": {"name": "c", "labels": {"envctl.dev/name": "other", "a": "b"}},
            "status": {"x": 1}}  # fmt: skip
    found = claimed(evil)
    assert found["metadata"] == {
        "name": "c", "namespace": "shop-fix",
        "labels": {"a": "b", "envctl.dev/project": "shop", "envctl.dev/name": "fix",
                   "envctl.dev/component": "web"},
    }  # fmt: skip
    assert "status" not in found
    assert "namespace" not in evil["metadata"]


def test_its_own_namespace_may_be_named() -> None:
    assert claimed({**CONFIG, "metadata": {"name": "c", "namespace": "shop-fix"}})


@pytest.mark.parametrize("namespace", ["kube-system", "shop-fix2", "default", "Shop-fix", 5])
def test_another_namespace_is_refused(namespace: Any) -> None:
    with pytest.raises(Refused, match="names the namespace") as caught:
        claimed({**CONFIG, "metadata": {"name": "c", "namespace": namespace}})
    assert caught.value.exit_code == 77


def test_what_lies_outside_carries_all_labels() -> None:
    found = claimed({"kind": "ClusterRole", "metadata": {"name": "r"}}, ROLE)
    assert ENVIRONMENT.owns(found["metadata"]["labels"])


async def owned(writer: Writer) -> list[str]:
    store = writer.cluster.store  # type: ignore[attr-defined]
    seen = [[store["", "Namespace", "", "shop-fix"]], []]

    async def find() -> list[Any]:
        return seen.pop(0)

    return await writer.delete_owned(NAMESPACE, find)


WRITES: dict[str, Callable[[Writer], Awaitable[Any]]] = {
    "apply": lambda w: w.apply(CONFIG_MAP, w.claim(CONFIG, CONFIG_MAP)),
    "create": lambda w: w.create(CONFIG_MAP, w.claim(CONFIG, CONFIG_MAP)),
    "delete": lambda w: w.delete(NAMESPACE, "shop-fix", uid="uid-1"),
    "delete_owned": owned,
    "patch": lambda w: w.patch(NAMESPACE, "shop-fix", {"metadata": {"labels": {"a": "b"}}}),
    "annotate": lambda w: w.annotate("uid-1", {"a": "b"}),
}


@pytest.mark.parametrize("name", WRITES)
def test_no_write_passes_a_fence_that_refuses(name: str) -> None:
    found = writer(open_=False)
    with pytest.raises(Superseded):
        virtually(WRITES[name](found))  # type: ignore[arg-type]
    assert isinstance(found.cluster, FakeCluster)
    assert found.cluster.calls == []
    assert found.writes == 0


@pytest.mark.parametrize("name", WRITES)
def test_every_write_asks_the_fence_once(name: str) -> None:
    found = writer()
    virtually(WRITES[name](found))  # type: ignore[arg-type]
    assert isinstance(found.fence, Fence)
    assert (found.fence.asked, found.writes) == (1, 1)


def test_every_public_method_that_writes_is_in_this_table() -> None:
    public = {n for n, v in vars(Writer).items() if inspect.iscoroutinefunction(v)}
    assert public == set(WRITES)


def test_only_the_object_that_was_decided_on_is_deleted() -> None:
    found = writer()
    assert virtually(found.delete(NAMESPACE, "shop-fix", uid="another")) is False
    assert isinstance(found.cluster, FakeCluster)
    assert ("", "Namespace", "", "shop-fix") in found.cluster.store


def test_a_write_in_flight_is_finished_when_the_run_is_cancelled() -> None:
    done: list[str] = []

    async def write() -> None:
        await asyncio.sleep(3)
        done.append("written")

    async def go() -> None:
        task = asyncio.ensure_future(finished(write()))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    virtually(go())
    assert done == ["written"]


def test_a_write_that_hangs_does_not_keep_a_cancelled_run() -> None:
    async def go() -> float:
        task = asyncio.ensure_future(finished(asyncio.sleep(1000)))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time()

    assert virtually(go()) < 20
