"""The Lease behind the lock: who holds it, who may ask for it, what a holder writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envctl.model import lease as leases
from envctl.model.environment import Environment

NOW = "2026-01-01T00:00:00.000000Z"


def lease(newest: str = "", wanted: str = "", **spec: Any) -> dict[str, Any]:
    notes = {leases.PIPELINE: newest, leases.WANTED_BY: wanted}
    return {
        "metadata": {"name": "shop-fix", "annotations": {k: v for k, v in notes.items() if v}},
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("newest", "wanted", "pipeline", "asks"),
    [
        ("7", "", 8, True), ("", "", 8, True), ("7", "6", 8, True), ("7", "8", 9, True),
        ("7", "", 7, False), ("7", "", 6, False), ("", "", 0, False), ("7", "", 0, False),
        ("7", "8", 8, False), ("7", "9", 8, False),
    ],
)  # fmt: skip
def test_only_a_newer_pipeline_asks_and_only_once(
    newest: str, wanted: str, pipeline: int, asks: bool
) -> None:
    before = lease(newest, wanted, holderIdentity="x")
    asked = leases.asked_for(before, pipeline)
    assert (asked is not None) is asks
    if asked is not None:
        assert leases.wanted_by(asked) == pipeline
        assert (leases.newest(asked), asked["spec"]) == (leases.newest(before), before["spec"])


@pytest.mark.parametrize(
    ("known", "pipeline", "newest"), [("7", "9", 9), ("9", "7", 9), ("9", "", 9), ("", "", 0)]
)
def test_whoever_takes_it_never_forgets_the_newest(known: str, pipeline: str, newest: int) -> None:
    environment = Environment("shop", "fix", "shop-fix", pipeline=pipeline)
    taken = leases.held_by(lease(known, "12", leaseTransitions=3), environment, "me", NOW)
    assert leases.newest(taken) == newest
    assert leases.wanted_by(taken) == 0, "the word was for the holder before"
    assert leases.holder(taken) == "me"
    assert taken["spec"]["leaseTransitions"] == 4
    assert leases.duration(taken) == leases.DURATION == 15


@pytest.mark.parametrize(
    ("spec", "seconds"), [({}, 15), ({"leaseDurationSeconds": 40}, 40), (None, 15)]
)
def test_it_is_good_for_as_long_as_its_holder_said(spec: Any, seconds: float) -> None:
    assert leases.duration({"metadata": {}, "spec": spec}) == seconds


def test_each_sign_of_life_changes_the_mark() -> None:
    marks = {
        leases.mark(lease(**spec))
        for spec in (
            {}, {"holderIdentity": "a"}, {"holderIdentity": "b"},
            {"holderIdentity": "a", "renewTime": "1"}, {"holderIdentity": "a", "renewTime": "2"},
            {"holderIdentity": "a", "renewTime": "2", "acquireTime": "1"},
        )
    }  # fmt: skip
    assert len(marks) == 6
    assert leases.mark(lease("1", "2")) == leases.mark(lease()), "what others say is none"


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "\u0663", " 7"])
def test_what_is_no_number_is_no_pipeline(text: str) -> None:
    assert leases.number(text) == 0


DAY = 86400.0


@pytest.mark.parametrize(
    ("ages", "old"),
    [({"renewTime": 33}, True), ({"renewTime": 32}, True), ({"renewTime": 31.9}, False),
     ({"renewTime": 400, "acquireTime": 1}, False), ({"deleted": 1, "renewTime": 400}, False),
     ({"created": 1}, False), ({"created": 40}, True), ({}, False)],
)  # fmt: skip
def test_a_lease_is_old_by_its_latest_stamp(ages: dict[str, float], old: bool) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    stamps = {k: (now - timedelta(days=v)).strftime("%Y-%m-%dT%H:%M:%SZ") for k, v in ages.items()}
    found = lease(renewTime=stamps.get("renewTime"), acquireTime=stamps.get("acquireTime"))
    found["metadata"]["creationTimestamp"] = stamps.get("created", "")
    found["metadata"]["annotations"] = {leases.DELETED: stamps.get("deleted", "")}
    assert leases.is_old(found, now) is old


@pytest.mark.parametrize(
    ("labels", "name", "whose"),
    [
        (("shop", "fix"), "shop-fix", "shop-fix"),
        (("shop", "fix"), "shop-other", None),
        (("", ""), "shop-fix", None),
        (("shop-fix", ""), "shop-fix", None),
    ],
)
def test_a_lease_is_the_lock_of_what_its_labels_and_name_agree_on(
    labels: tuple[str, str], name: str, whose: str | None
) -> None:
    keys = ("envctl.dev/project", "envctl.dev/name")
    found = leases.environment_of(
        {"metadata": {"name": name, "labels": dict(zip(keys, labels, strict=True))}}
    )
    assert (found.namespace if found else None) == whose
