"""What a watch says twice, late or in another order changes nothing of what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envctl.model.objects import NAMESPACE, POD
from envctl.ports.cluster import Change
from envctl.workflow.absence import until_gone
from envctl.workflow.tracker import Tracker
from tests.unit.fakes import FakeCluster
from tests.unit.virtual import virtually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def pod(uid: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": "web", "namespace": "n", "uid": uid,
                         "resourceVersion": str(version)}}  # fmt: skip


OLD, NEW = pod("old", 5), pod("new", 9)


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ([("ADDED", OLD), ("MODIFIED", pod("old", 6)), ("MODIFIED", OLD)], pod("old", 6)),
        ([("ADDED", OLD), ("DELETED", pod("old", 7)), ("MODIFIED", pod("old", 6))], None),
        ([("ADDED", OLD), ("DELETED", pod("old", 7)), ("ADDED", OLD), ("ADDED", NEW)], NEW),
        ([("ADDED", NEW), ("DELETED", pod("old", 7)), ("DELETED", pod("old", 7))], NEW),
        ([("ADDED", NEW), ("ADDED", OLD)], NEW),
        ([("ADDED", OLD), ("RESYNC", {}), ("ADDED", OLD), ("ADDED", OLD)], OLD),
        ([("ADDED", OLD), ("RESYNC", {})], None),
        ([("DELETED", pod("old", 7)), ("RESYNC", {}), ("ADDED", NEW)], NEW),
    ],
)
def test_the_newest_version_counts_and_what_was_deleted_stays_so(
    told: list[tuple[str, dict[str, Any]]], known: dict[str, Any] | None
) -> None:
    tracker = Tracker(FakeCluster(), "n")
    for kind, obj in told:
        tracker._see(POD, kind, {**obj})
    found = tracker.of_kind(POD)
    assert [f["metadata"] for f in found] == ([known["metadata"]] if known else [])


def test_an_answer_that_comes_late_brings_nothing_back() -> None:
    tracker = Tracker(FakeCluster(), "n")
    tracker._see(POD, "DELETED", pod("old", 7))
    tracker.put({**OLD, "apiVersion": "v1", "kind": "Pod"})
    assert tracker.of_kind(POD) == []


class Repeating(FakeCluster):
    """Its watches begin with the deletion of an earlier namespace of the same name."""

    watched = 0

    async def watch(self, *_: Any, **__: Any) -> AsyncIterator[Change]:
        self.watched += 1
        if self.watched < 4:
            yield Change("DELETED", {"metadata": {"name": "shop-fix", "uid": "earlier"}})
            return
        live = self.store["", "Namespace", "", "shop-fix"]
        self.drop(("", "Namespace", "", "shop-fix"))
        yield Change("DELETED", live)


def test_the_deletion_of_an_earlier_namespace_of_that_name_proves_nothing() -> None:
    cluster = Repeating()
    live = cluster.put(NAMESPACE, {"metadata": {"name": "shop-fix"}})
    virtually(until_gone(cluster, NAMESPACE, "shop-fix", "", live["metadata"]["uid"]))
    assert cluster.store == {}
