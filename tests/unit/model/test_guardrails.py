"""What stands before any workload, to the letter: each line of it keeps somebody out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from envctl.model import guardrails
from envctl.model.environment import Environment
from envctl.model.spec import Component, Expose, ManifestsSource
from tests.unit.model.test_plan import spec

ENVIRONMENT = Environment("shop", "fix", "shop-fix", owner="ann")
DNS = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]


def guarded(**more: Any) -> Any:
    found = spec()
    return replace(found, guardrails=replace(found.guardrails, **more))


@pytest.mark.parametrize(
    ("word", "to"),
    [
        ("same-environment", {"to": [{"podSelector": {}}]}),
        ("dns", {"to": [{"namespaceSelector": {}}], "ports": DNS}),
        ("ingress-controller", {"to": [
            {"namespaceSelector": {"matchExpressions": [{
                "key": "kubernetes.io/metadata.name", "operator": "In",
                "values": ["traefik", "ingress-nginx", "ingress", "istio-system", "kube-system"],
            }]}},
            {"namespaceSelector": {"matchLabels": {"envctl.dev/ingress-controller": "true"}}},
        ]}),
        ("internet", {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
        ]}}]}),
        ("anything", {}),
        ({"ports": [{"port": 1}]}, {"ports": [{"port": 1}]}),
    ],
)  # fmt: skip
def test_each_word_of_access_opens_this_and_no_more(word: Any, to: Any) -> None:
    policy = guardrails.objects(guarded(egress=(word,), ingress=()))[-2]
    assert policy["spec"] == {
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": [to],
    }  # fmt: skip
    inward = guardrails.objects(guarded(egress=(), ingress=(word,)))[-2]["spec"]["ingress"]
    assert inward == [{("from" if key == "to" else key): value for key, value in to.items()}]


def test_nothing_is_open_where_nothing_is_asked_for() -> None:
    kinds = [o["kind"] for o in guardrails.objects(guarded(quota={}, container_defaults={}))]
    assert kinds == ["NetworkPolicy", "ServiceAccount"], "these two always stand"
    policy = guardrails.objects(guarded(egress=(), ingress=()))[-2]["spec"]
    assert (policy["ingress"], policy["egress"], policy["podSelector"]) == ([], [], {})


def test_the_default_account_has_no_token_in_its_pods() -> None:
    account = guardrails.objects(spec())[-1]
    assert account == {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"},
        "automountServiceAccountToken": False,
    }  # fmt: skip


def test_containers_without_limits_get_some() -> None:
    defaults = {"default": {"cpu": "1"}, "defaultRequest": {}}
    found = guardrails.objects(guarded(container_defaults=defaults))[1]
    assert found["spec"] == {
        "limits": [{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {}}]
    }


@pytest.mark.parametrize("confined", [True, False])
def test_a_confined_namespace_says_so_and_no_other_does(confined: bool) -> None:
    found = guardrails.namespace(ENVIRONMENT, guarded(confined=confined, security="restricted"))
    expected = {
        **ENVIRONMENT.labels,
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    assert found["metadata"]["labels"] == expected | (
        {"envctl.dev/profile": "confined"} if confined else {}
    )
    assert "envctl.dev/commit" not in found["metadata"]["annotations"], "what is empty is not noted"


@pytest.mark.parametrize(
    ("url", "tls"), [("https://h.x/", [{"hosts": ["h.x"]}]), ("http://h.x/", None)]
)
def test_an_ingress_answers_for_the_environments_host_alone(url: str, tls: Any) -> None:
    part = Component("web", "job", ManifestsSource(()), expose=Expose("web", 80, "/"))
    found = guardrails.ingress(part, replace(spec(), url=url))
    assert found is not None
    assert found["metadata"]["name"] == "web"
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    rules = [{"host": "h.x", "http": {"paths": paths}}]
    assert found["spec"] == {"rules": rules} | ({"tls": tls} if tls else {})
