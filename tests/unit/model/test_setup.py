"""The set-up of a cluster: rights from the one list, limits that name what they mean."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from envctl.config import setup as options
from envctl.errors import ConfigError
from envctl.model import permissions, setup_objects
from envctl.model.environment import MANAGED_BY
from envctl.model.permissions import Scope
from envctl.model.setup import SETUP, WHY, Setup, granted
from envctl.output.manifests import stream


def _objects(**more: Any) -> list[dict[str, Any]]:
    return setup_objects.objects(Setup(**more))


def _one(kind: str, name: str, **more: Any) -> dict[str, Any]:
    (found,) = [o for o in _objects(**more)
                if o["kind"] == kind and o["metadata"]["name"] == name]  # fmt: skip
    return found


def _grants(rules: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in rules
        if "resourceNames" not in rule
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_roles_together_grant_what_doctor_asks_for() -> None:
    everywhere = _grants(_one("ClusterRole", "envctl-pipeline")["rules"])
    inside = _grants(_one("ClusterRole", "envctl-environment")["rules"])
    system = _grants(_one("Role", "envctl-pipeline")["rules"])
    for p in permissions.needed():
        held = {Scope.CLUSTER: everywhere, Scope.SYSTEM: system}.get(p.scope, everywhere | inside)
        assert (p.group, p.resource, p.verb) in held, p


def test_no_secret_is_readable_and_nothing_writable_everywhere() -> None:
    for name in ("envctl-pipeline", "envctl-gc"):
        found = _grants(_one("ClusterRole", name)["rules"])
        assert not {g for g in found if g[1] in {"secrets", "configmaps"} or "/" in g[1]}
        assert {g for g in found if g[2] not in {"get", "list", "watch"}} <= {
            ("", "namespaces", "create"), ("", "namespaces", "patch"), ("", "namespaces", "delete"),
            ("", "pods", "delete"), ("", "persistentvolumeclaims", "delete"),
            ("rbac.authorization.k8s.io", "rolebindings", "create"),
            ("rbac.authorization.k8s.io", "rolebindings", "patch"),
        }  # fmt: skip


def test_the_clean_up_holds_less_than_the_pipeline() -> None:
    for kind, less, more in (
        ("ClusterRole", "envctl-gc", "envctl-pipeline"),
        ("ClusterRole", "envctl-gc-environment", "envctl-environment"),
    ):
        assert _grants(_one(kind, less)["rules"]) < _grants(_one(kind, more)["rules"])
    assert ("", "namespaces", "create") not in _grants(_one("ClusterRole", "envctl-gc")["rules"])


def test_only_the_roles_of_the_set_up_may_be_bound() -> None:
    rules = _one("ClusterRole", "envctl-pipeline")["rules"]
    (bind,) = [r for r in rules if r["verbs"] == ["bind"]]
    assert bind["resourceNames"] == ["envctl-environment", "envctl-gc-environment", "envctl-view"]


@pytest.mark.parametrize(
    "more",
    [{}, {"groups": ("g",)}, {"viewers": ("p",), "quota": {"pods": "9"}, "domains": ("d.e",)}],
)
def test_every_object_says_why_it_is_there_and_whose_it_is(more: dict[str, Any]) -> None:
    for obj in _objects(**more):
        assert obj["metadata"]["annotations"][WHY].endswith("."), obj
        labels = obj["metadata"]["labels"]
        assert labels[MANAGED_BY] == "envctl"
        assert labels.get(SETUP, "envctl") == "envctl"


def test_what_is_printed_is_one_stream_of_the_same_objects() -> None:
    objects = _objects(quota={"pods": "5"}, projects=("a", "b"), groups=("x:y z",))
    text = stream(objects, WHY)
    assert list(yaml.safe_load_all(text)) == objects
    assert text.count("\n# ") >= len(objects) - 1
    assert "&id" not in text


def test_an_account_is_made_only_where_nobody_else_is_named() -> None:
    assert _one("ServiceAccount", "envctl-pipeline")
    names = [o["metadata"]["name"] for o in _objects(users=("u",)) if o["kind"] == "ServiceAccount"]
    assert names == ["envctl-gc"]
    policy = _one("ValidatingAdmissionPolicy", "envctl-scope", users=("u",), groups=('g"',))
    (condition,) = policy["spec"]["matchConditions"]
    assert '["u", "system:serviceaccount:envctl-system:envctl-gc"]' in condition["expression"]
    assert r'["g\""]' in condition["expression"]


def test_options_choose_the_limits() -> None:
    def names(**more: Any) -> set[str]:
        return {o["metadata"]["name"] for o in _objects(**more)
                if o["kind"] == "ValidatingAdmissionPolicy"}  # fmt: skip

    always = {"envctl-namespaces", "envctl-scope", "envctl-cluster", "envctl-bindings",
              "envctl-pods"}  # fmt: skip
    network = {"envctl-network", "envctl-default-deny"}
    assert names() == always | network | {"envctl-services"}
    assert names(load_balancers=True) == always | network
    assert names(load_balancers=True, egress=("anything",)) == always
    assert names(domains=("x.y",), quota={"pods": "1"}) == always | network | {
        "envctl-services", "envctl-ingresses", "envctl-ceiling", "envctl-quota"
    }  # fmt: skip


def test_granting_follows_the_projects_of_the_set_up() -> None:
    config = _one("ConfigMap", "envctl-grants", projects=("shop",), viewers=("people",))
    assert granted(config, "other-x", "other", {}) == []
    bindings = granted(config, "shop-x", "shop", {"a": "b"})
    assert [b["roleRef"]["name"] for b in bindings] == [
        "envctl-environment", "envctl-gc-environment", "envctl-view"
    ]  # fmt: skip
    assert all(b["metadata"]["namespace"] == "shop-x" for b in bindings)
    everybody = _one("ConfigMap", "envctl-grants")
    assert len(granted(everybody, "other-x", "other", {})) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "Env"}, "not a valid set-up name"),
        ({"projects": ["shop,Other"]}, "not a valid project name"),
        ({"groups": ["system:authenticated"]}, "refused"),
        ({"users": ["system:admin"]}, "refused"),
        ({"view_groups": ["a\nb"]}, "is no name"),
        ({"gc_groups": [" "]}, "is no name"),
        ({"domains": ["x'.y"]}, "is no domain"),
        ({"domains": ["preview"]}, "is no domain"),
        ({"quota": ["pods"]}, "is not RESOURCE=QUANTITY"),
        ({"quota": ["pods='1'"]}, "is not RESOURCE=QUANTITY"),
        ({"security": "privileged"}, "is no level"),
        ({"egress": ["everybody"]}, "is nobody whom envctl knows"),
    ],
)
def test_an_option_that_would_not_limit_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        options.read(**{"name": "envctl", **wrong})


def test_options_are_read() -> None:
    found = options.read(
        name="team", projects=["shop, blog", "shop"], gitlab_projects=[150], gitlab_groups=[23],
        users=["system:serviceaccount:agents:gitlab-agent"], domains=["*.Preview.example.org"],
        quota=["requests.cpu=8", "pods=60"],
    )  # fmt: skip
    assert found.projects == ("shop", "blog")
    assert found.groups == ("gitlab:project:150", "gitlab:group:23")
    assert found.domains == ("preview.example.org",)
    assert found.quota == {"requests.cpu": "8", "pods": "60"}
    assert not found.own_account
