from __future__ import annotations

from typing import Any

from envctl.model.environment import COMPONENT
from envctl.model.members import INSTANCE, controller_of, members
from envctl.model.objects import DEPLOYMENT, QUOTA
from envctl.model.record import GUARDRAILS, Checked, Deployed, Entry, Record

RECORD = Record(
    {
        GUARDRAILS: Deployed("guardrails", "d", True, (Entry(QUOTA, "ns", "envctl"),)),
        "web": Deployed("manifests", "d", True, (Entry(DEPLOYMENT, "ns", "front"),)),
        "db": Deployed("helm", "d", True),
    },
    {"smoke": Checked("d", passed=True, seconds=1.0)},
)


def obj(name: str = "x", kind: str = "Pod", api: str = "v1", **meta: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "ns", **meta}}


def test_the_components_are_those_of_the_file_and_its_checks() -> None:
    assert members(RECORD).names == {"web", "db", "smoke"}


def test_a_label_of_ours_says_it_first() -> None:
    found = members(RECORD)
    assert found.of(obj(labels={COMPONENT: "smoke", INSTANCE: "db"})) == "smoke"


def test_the_record_knows_what_was_deployed() -> None:
    assert members(RECORD).of(obj("front", "Deployment", "apps/v1")) == "web"
    assert members(RECORD).of(obj("other", "Deployment", "apps/v1")) == ""


def test_helms_label_counts_where_it_names_a_component() -> None:
    assert members(RECORD).of(obj(labels={INSTANCE: "db"})) == "db"
    assert members(RECORD).of(obj(labels={INSTANCE: "somebody-else"})) == ""


def test_the_controller_goes_before_other_owners() -> None:
    one = {"apiVersion": "v1", "kind": "A", "name": "a"}
    other = {"apiVersion": "apps/v1", "kind": "B", "name": "b", "controller": True}
    assert controller_of(obj(ownerReferences=[one, other])) == ("apps/v1", "B", "b")
    assert controller_of(obj(ownerReferences=[one])) == ("v1", "A", "a")
    assert controller_of(obj()) is None
