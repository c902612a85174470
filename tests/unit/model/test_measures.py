"""The numbers of a check, from the termination messages of its pods."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model import measures, record
from envctl.model.record import Checked, Record


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("orders=41.5", {"orders": 41.5}),
        ("a=1 b=-2e3\nc.p99=+0.5\n", {"a": 1.0, "b": -2000.0, "c.p99": 0.5}),
        ("a=1\na=2", {"a": 2.0}),
        ("it failed: x=y after 3 s", {}),
        ("version=1.2.3 took=5s size=1e999 nan=nan", {}),
        ("1a=2 =3 a= b==4", {}),
        ("", {}),
    ],
)
def test_a_name_and_a_number_that_stand_by_themselves(text: str, found: dict[str, float]) -> None:
    assert dict(measures.parse(text)) == found


@given(st.text())
def test_whatever_a_container_writes_gives_finite_numbers(text: str) -> None:
    found = measures.parse(text)
    assert len(found) <= measures.MOST
    assert all(math.isfinite(value) for _, value in found)


def pod(created: str, message: str) -> dict[str, object]:
    state = {"terminated": {"exitCode": 0, "message": message}}
    return {
        "metadata": {"name": created, "creationTimestamp": created},
        "status": {"containerStatuses": [{"name": "smoke", "state": state}]},
    }


def test_the_last_pod_of_a_job_that_was_tried_again_counts() -> None:
    pods = measures.ordered([pod("2", "a=2"), pod("1", "a=1 b=1")])
    found = [measures.parse(measures.message(one)) for one in pods]
    assert measures.merged(found) == (("a", 2.0), ("b", 1.0))
    assert measures.message({"metadata": {}, "status": {}}) == ""
    assert measures.message({"metadata": {}}) == ""


def test_a_record_keeps_them_and_an_older_one_has_none() -> None:
    checked = Checked("d", passed=True, seconds=1.5, metrics=(("orders", 2.0),))
    kept = {record.check_key("smoke"): record.dump_check(checked)}
    assert record.load({"data": kept}) == Record(checks={"smoke": checked})
    old = {"check.smoke": '{"digest":"d","passed":true,"seconds":1.5}'}
    assert record.load({"data": old}).checks["smoke"].metrics == ()
    odd = {"check.smoke": '{"digest":"d","passed":true,"seconds":1.5,"metrics":[1]}'}
    assert record.load({"data": odd}) == Record()


def test_of_several_runs_each_is_a_sample() -> None:
    samples = measures.sampled(map(measures.parse, ("a=1 b=5", "a=3", "a=2")))
    assert samples == (("a", (1.0, 3.0, 2.0)), ("b", (5.0,)))
    assert measures.medians(samples) == (("a", 2.0), ("b", 5.0))
    assert measures.load(measures.dump(samples)) == samples
