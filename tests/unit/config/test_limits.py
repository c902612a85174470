from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.config import limits
from envctl.errors import ConfigError, Refused
from envctl.model import quantity
from envctl.model.spec import Guardrails
from tests.unit.config.test_load import ONE, read, repository

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["repository"]  # a fixture

CONFINED = {"ENVCTL_PROFILE": "confined"}
OPEN = """\
environment:
  security: baseline
  clusterScoped: [ClusterRole]
  lifetime: {ttl: 0, max: 0}
  quota: {requests.cpu: "64", pods: "5", limits.memory: 1Gi}
  limits: {default: {cpu: "1"}}
  access:
    egress: [dns, internet, anything, same-environment, {to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]
    ingress: [anything, ingress-controller]
"""


def test_confined_narrows_all_that_the_file_opens(repository: Path) -> None:
    env = {**CONFINED, "ENVCTL_CLUSTER_SCOPED": "*"}
    loaded = read(repository, ONE + OPEN, env)
    guard = loaded.spec.guardrails
    assert guard.confined
    assert guard.security == "restricted"
    assert guard.cluster_scoped == ()
    assert guard.egress == ("dns", "same-environment")
    assert guard.ingress == ("ingress-controller",)
    assert (guard.quota["requests.cpu"], guard.quota["pods"]) == ("2", "5")
    assert guard.quota["limits.memory"] == "1Gi"
    assert guard.quota["services.loadbalancers"] == guard.quota["services.nodeports"] == "0"
    assert guard.container_defaults["default"] == {"cpu": "1", "memory": "512Mi"}
    assert (loaded.environment.ttl, loaded.environment.max_age) == (4 * 3600, 24 * 3600)
    assert (loaded.spec.ttl, loaded.spec.max_age) == (4 * 3600, 24 * 3600)


def test_confined_widens_nothing(repository: Path) -> None:
    text = ONE + "environment: {lifetime: {ttl: 30m, max: 1h}, access: {egress: []}}\n"
    loaded = read(repository, text, CONFINED)
    assert loaded.spec.guardrails.egress == ()
    assert (loaded.environment.ttl, loaded.environment.max_age) == (1800, 3600)


def test_a_chart_of_a_confined_environment_is_no_release(repository: Path) -> None:
    text = "components:\n- {name: db, helm: {chart: deploy/chart}}\n"
    assert read(repository, text).spec.components[0].type == "helm"
    assert read(repository, text, CONFINED).spec.components[0].type == "chart"


COMMAND = ONE + "checks:\n- {name: smoke, command: [sh, smoke.sh]}\n"


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({}, ""),
        ({"CI": "false"}, ""),
        ({"CI": "true", "ENVCTL_COMMANDS": "allow"}, ""),
        ({"CI": "true"}, "ENVCTL_COMMANDS does not allow"),
        ({"ENVCTL_COMMANDS": "refuse"}, "ENVCTL_COMMANDS does not allow"),
        ({**CONFINED, "ENVCTL_COMMANDS": "allow"}, "with the runner's rights"),
    ],
)
def test_commands_are_for_laptops_and_for_a_ci_that_allows_them(
    repository: Path, env: dict[str, str], why: str
) -> None:
    if not why:
        assert read(repository, COMMAND, env).spec.checks[0].type == "command"
        return
    with pytest.raises(Refused, match=why) as caught:
        read(repository, COMMAND, env)
    assert "smoke" in caught.value.what


def test_limits_without_a_profile(repository: Path) -> None:
    env = {"ENVCTL_MAX_TTL": "12h", "ENVCTL_MAX_AGE": "3d",
           "ENVCTL_MAX_QUOTA": "requests.cpu=1, pods=100 requests.storage=1Gi"}  # fmt: skip
    loaded = read(repository, ONE + OPEN, env)
    guard = loaded.spec.guardrails
    assert guard.quota["requests.cpu"] == "1"
    assert guard.quota["pods"] == "5"
    assert guard.quota["requests.storage"] == "1Gi"
    assert "internet" in guard.egress
    assert not guard.confined
    assert (loaded.environment.ttl, loaded.environment.max_age) == (12 * 3600, 3 * 86400)


def test_the_stricter_of_profile_and_variable_counts() -> None:
    found = limits.read({**CONFINED, "ENVCTL_MAX_TTL": "1h", "ENVCTL_MAX_AGE": "30d",
                         "ENVCTL_MAX_QUOTA": "pods=3,requests.cpu=64"})  # fmt: skip
    assert (found.ttl, found.max_age) == (3600, 24 * 3600)
    assert (found.quota["pods"], found.quota["requests.cpu"]) == ("3", "2")


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENVCTL_PROFILE", "Confined"), ("ENVCTL_PROFILE", "open"), ("ENVCTL_MAX_TTL", "-1h"),
     ("ENVCTL_MAX_AGE", "long"), ("ENVCTL_MAX_QUOTA", "pods"), ("ENVCTL_MAX_QUOTA", "pods=many")],
)  # fmt: skip
def test_a_limit_that_cannot_be_read_is_an_error_not_no_limit(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        limits.read({name: value})
    assert caught.value.next


_AMOUNTS = st.sampled_from(["0", "1", "250m", "4", "1Gi", "8Gi", "many"])
_PEERS = st.lists(st.sampled_from(["dns", "same-environment", "internet", "anything"]))


@given(
    quota=st.dictionaries(st.sampled_from(["pods", "requests.cpu", "limits.memory"]), _AMOUNTS),
    ttl=st.floats(0, 1e7), max_age=st.floats(0, 1e7), egress=_PEERS,
    confined=st.booleans(), most=st.sampled_from(["", "pods=2", "requests.cpu=500m,pods=1"]),
)  # fmt: skip
def test_no_file_gets_more_than_the_limits(
    quota: dict[str, str], ttl: float, max_age: float, egress: list[str], confined: bool, most: str
) -> None:
    env: dict[str, Any] = {"ENVCTL_MAX_QUOTA": most, "ENVCTL_MAX_TTL": "1h"}
    found = limits.read({**env, **(CONFINED if confined else {})})
    wanted = Guardrails(quota, {"default": {}}, tuple(egress), ("anything",))
    narrowed = found.narrow(wanted, {"default": {}})
    for name, limit in found.quota.items():
        amount, bound = quantity.parse(narrowed.quota[name]), quantity.parse(limit)
        assert amount is not None
        assert bound is not None
        assert amount <= bound
    assert set(narrowed.egress) <= set(egress)
    lifetime, age = found.lifetime(ttl, max_age)
    assert 0 < lifetime <= 3600
    if confined:
        assert 0 < age <= 24 * 3600
        assert set(narrowed.egress) <= {"dns", "same-environment"}
