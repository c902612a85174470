"""What a set-up asks for is bound inside an environment, before anything else is done there."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.errors import Forbidden, Refused
from envctl.model import setup
from envctl.model.environment import MANAGED_BY, Environment
from envctl.model.objects import CONFIG_MAP, ROLE_BINDING
from envctl.model.setup import Setup
from envctl.workflow import granting
from envctl.workflow.writer import Writer
from tests.unit.fakes import FakeCluster
from tests.unit.virtual import virtually

ENVIRONMENT = Environment("shop", "fix", "shop-fix")


class Reviewed(FakeCluster):
    """Answers access reviews: no, this many times, then yes."""

    refusals: int = 0

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        assert (method, path.rpartition("/")[2]) == ("POST", "selfsubjectaccessreviews")
        assert body["spec"]["resourceAttributes"]["namespace"] == "shop-fix"
        self.refusals -= 1
        return {"status": {"allowed": self.refusals < 0}}


class Open:
    async def check(self) -> None:
        return


def _cluster(*projects: str) -> Reviewed:
    cluster = Reviewed()
    config = setup.grants(Setup(projects=projects, groups=("ci",)))
    config["metadata"]["labels"] = {MANAGED_BY: "envctl", setup.SETUP: "envctl"}
    cluster.put(CONFIG_MAP, config)
    return cluster


def _bound(cluster: FakeCluster) -> set[str]:
    return {key[3] for key in cluster.store if key[1] == "RoleBinding"}


def test_roles_are_bound_and_waited_for() -> None:
    cluster = _cluster("shop")
    cluster.refusals = 3
    assert virtually(granting.grant(Writer(cluster, ENVIRONMENT, Open())))
    assert _bound(cluster) == {"envctl-environment", "envctl-gc-environment"}
    assert cluster.refusals == -1
    obj = cluster.store[ROLE_BINDING.group, "RoleBinding", "shop-fix", "envctl-environment"]
    assert obj["metadata"]["labels"] == ENVIRONMENT.labels
    assert obj["subjects"][0]["name"] == "ci"


@pytest.mark.parametrize("cluster", [FakeCluster(), _cluster("other")])
def test_nothing_is_bound_where_no_set_up_means_the_project(cluster: FakeCluster) -> None:
    assert not virtually(granting.grant(Writer(cluster, ENVIRONMENT, Open())))
    assert not cluster.writes


def test_a_cluster_that_may_not_be_asked_has_no_set_up() -> None:
    def before(verb: str, what: str) -> None:
        if what.startswith("ConfigMap"):
            raise Forbidden(f"{verb} {what}")

    cluster = _cluster("shop")
    cluster.before = before
    assert not virtually(granting.grant(Writer(cluster, ENVIRONMENT, Open())))


def test_the_set_up_of_another_account_is_explained() -> None:
    def before(verb: str, what: str) -> None:
        if verb == "apply" and what.startswith("RoleBinding"):
            raise Forbidden("no", why="It may not.")

    cluster = _cluster("shop")
    cluster.before = before
    with pytest.raises(Refused, match="cannot be opened to this credential"):
        virtually(granting.grant(Writer(cluster, ENVIRONMENT, Open())))


def test_a_set_up_that_names_somebody_else_is_not_waited_for_for_ever() -> None:
    cluster = _cluster("shop")
    cluster.refusals = 1_000_000
    with pytest.raises(Refused, match="is not for this credential"):
        virtually(granting.grant(Writer(cluster, ENVIRONMENT, Open())))


def test_doctor_does_not_ask_for_what_will_be_bound() -> None:
    cluster = _cluster("shop")
    assert virtually(granting.will_bind(cluster, "shop-fix"))
    assert not virtually(granting.will_bind(FakeCluster(), "shop-fix"))


class Admitting(FakeCluster):
    """Refuses a pod this many times, as the policy that has not seen its quota yet."""

    refusals: int = 0
    policy: str = "envctl-quota"

    async def apply(self, *_arguments: Any, **options: Any) -> Any:
        assert options == {"dry_run": True}, "it asks, and makes nothing"
        self.refusals -= 1
        if self.refusals >= 0:
            raise Refused("no", why="w", next=f"(ValidatingAdmissionPolicy {self.policy}): keep.")
        return {}


@pytest.mark.parametrize(
    ("policy", "refusals", "left"),
    [
        ("envctl-quota", 5, -1),
        ("team-default-deny", 5, -1),
        ("envctl-pods", 5, 4),
        ("envctl-quota", 10_000, 9_900),
    ],
)
def test_pods_are_admitted_before_anything_is_deployed(
    policy: str, refusals: int, left: int
) -> None:
    cluster = Admitting()
    cluster.policy, cluster.refusals = policy, refusals
    virtually(granting.admitted(cluster, "shop-fix"))
    assert cluster.refusals == pytest.approx(left, abs=2)
