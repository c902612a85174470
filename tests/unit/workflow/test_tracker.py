"""What the tracker finds by kind, by owner and by what an event is about is all there is of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from envctl.model import owners
from envctl.model.objects import CONFIG_MAP, POD, REPLICA_SET, Obj
from envctl.workflow import tracker as trackers
from envctl.workflow.tracker import Tracker
from tests.unit.fakes import FakeCluster

KINDS = {"Pod": POD, "ReplicaSet": REPLICA_SET, "ConfigMap": CONFIG_MAP}
UIDS = ("a", "b", "c")


def obj(kind: str, name: str, uid: str, owned: list[str], version: int) -> Obj:
    references = [{"uid": owner} for owner in owned]
    meta = {
        "name": name,
        "uid": uid,
        "ownerReferences": references,
        "resourceVersion": str(version),
    }
    return {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": meta}


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["ADDED", "MODIFIED", "DELETED", "RESYNC"]),
        st.sampled_from(sorted(KINDS)), st.sampled_from("xyz"), st.sampled_from("uvw"),
        st.lists(st.sampled_from(UIDS), max_size=2),
    ),
    max_size=40,
)  # fmt: skip


@given(CHANGES)
def test_what_is_found_is_what_looking_through_all_finds(changes: list[Any]) -> None:
    tracker = Tracker(FakeCluster(), "ns")
    for version, (change, kind, name, uid, owned) in enumerate(changes, 1):
        tracker._see(KINDS[kind], change, obj(kind, name, uid, owned, version))
    every = list(tracker.objects.values())
    for resource in KINDS.values():
        of_kind = [o for o in every if o["kind"] == resource.kind]
        assert _sorted(tracker.of_kind(resource)) == _sorted(of_kind)
        for uid in UIDS:
            owned = [o for o in of_kind if uid in owners.owner_uids(o)]
            found = tracker.owned_by({"metadata": {"uid": uid}}, resource)
            assert _sorted(found) == _sorted(owned)
    assert not [uid for uid, known in tracker._owned.items() if not known], "nothing piles up"


EVENTS = st.lists(
    st.tuples(st.sampled_from("12345678"), st.sampled_from(UIDS), st.booleans()), max_size=40
)


@given(EVENTS)
def test_an_event_is_found_by_what_it_is_about_until_it_is_forgotten(events: list[Any]) -> None:
    tracker, most = Tracker(FakeCluster(), "ns"), trackers.MAX_EVENTS
    trackers.MAX_EVENTS = 4
    try:
        for name, uid, warning in events:
            about = {"uid": uid, "name": f"n-{uid}"}
            kind = "Warning" if warning else "Normal"
            meta = {"name": name}
            tracker._see_event({"metadata": meta, "involvedObject": about, "type": kind})
    finally:
        trackers.MAX_EVENTS = most
    assert len(tracker.events) <= 4
    for uid in UIDS:
        every = [e for e in tracker.events.values() if e["involvedObject"]["uid"] == uid]
        warnings = [e for e in every if e["type"] == "Warning"]
        assert _sorted(tracker.all_events_of(uid)) == _sorted(every)
        assert _sorted(tracker.events_of(uid, "")) == _sorted(warnings)
        assert _sorted(tracker.events_of("", f"n-{uid}")) == _sorted(warnings), "by name as well"


def _sorted(found: list[Obj]) -> list[str]:
    return sorted(map(str, found))
