"""A release is forgotten by its records; what it has made stays, but for what nobody wants."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest

from envctl.errors import Unavailable
from envctl.model.environment import Environment
from envctl.model.objects import CONFIG_MAP, PVC, SECRET, Obj
from envctl.workflow.releases import ReleaseRecords
from envctl.workflow.writer import Writer
from tests.unit.fakes import FakeCluster
from tests.unit.workflow.test_store import Open

MINE = {"meta.helm.sh/release-name": "db", "meta.helm.sh/release-namespace": "shop-fix"}
OTHERS = {**MINE, "meta.helm.sh/release-name": "cache"}


def obj(kind: str, name: str, notes: dict[str, str] | None = None) -> Obj:
    meta = {"name": name, "namespace": "shop-fix", "annotations": notes or {}}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta}


@pytest.mark.parametrize(
    ("statuses", "good"),
    [
        ([], True),
        (["deployed"], True),
        (["superseded", "deployed"], True),
        (["pending-install"], False),
        (["deployed", "pending-upgrade"], False),
    ],
)
async def test_helms_own_record_must_say_that_it_is_deployed(
    statuses: list[str], good: bool
) -> None:
    cluster = FakeCluster()
    for number, status in enumerate(statuses, 9):
        labels = {"owner": "helm", "name": "db", "version": str(number), "status": status}
        meta = {"name": f"v{number}", "namespace": "shop-fix", "labels": labels}
        cluster.put(SECRET, {"metadata": meta})
    run: Any = SimpleNamespace(cluster=cluster, environment=Environment("shop", "fix", "shop-fix"))
    planned: Any = SimpleNamespace(component=SimpleNamespace(name="db"), objects=())
    history = await ReleaseRecords(run, planned).history()
    assert history == list(enumerate(statuses, 9))
    with contextlib.nullcontext() if good else pytest.raises(Unavailable, match="did not record"):
        await ReleaseRecords(run, planned).deployed()


async def test_what_the_chart_has_no_more_goes_and_data_stays() -> None:
    cluster = FakeCluster()
    for name, release in (("v1", "db"), ("v2", "db"), ("other", "cache")):
        labels = {"owner": "helm", "name": release}
        cluster.put(SECRET, {"metadata": {"name": name, "namespace": "shop-fix", "labels": labels}})
    made = [
        obj("ConfigMap", "kept", MINE), obj("ConfigMap", "old", MINE),
        obj("ConfigMap", "strangers", OTHERS), obj("ConfigMap", "never-made", MINE),
        obj("PersistentVolumeClaim", "data", MINE),
    ]  # fmt: skip
    for found in made:
        if found["metadata"]["name"] != "never-made":
            cluster.put(PVC if found["kind"] == PVC.kind else CONFIG_MAP, found)
    environment = Environment("shop", "fix", "shop-fix")
    run: Any = SimpleNamespace(
        cluster=cluster, environment=environment, writer=Writer(cluster, environment, Open())
    )
    planned: Any = SimpleNamespace(
        component=SimpleNamespace(name="db"), objects=((CONFIG_MAP, obj("ConfigMap", "kept")),)
    )
    await ReleaseRecords(run, planned).forget(made)
    left = {key[3] for key in cluster.store}
    assert left == {"kept", "strangers", "data", "other"}
