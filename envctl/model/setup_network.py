"""Whom the pods of an environment may talk to, whoever writes it: default deny stands, and holds.

A merge request brings its own NetworkPolicies, written by the same account that writes envctl's:
who wrote one says nothing. So each is held to what the administrator allows, and no pod starts
where envctl's own, which denies what nothing allows, does not stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.guardrails import PRIVATE
from envctl.model.setup_cel import (
    binding,
    by_the_environment,
    environments,
    must,
    policy,
    rule,
    words,
)

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.model.setup import Setup

#: The policy that envctl writes in each environment.
NAME = "envctl"
#: What is never the internet: private networks, and the cluster's own in IPv6.
_INSIDE = [*PRIVATE, "fc00::/7", "fe80::/10"]
_GROUP = "networking.k8s.io"


def objects(setup: Setup) -> list[Obj]:
    """The policies with their bindings; none where the administrator lifts them."""
    if "anything" in setup.egress:
        return []
    denied, standing = _rules(setup), _standing(setup)
    reference = {"name": NAME, "parameterNotFoundAction": "Deny"}
    return [denied, binding(denied), standing, binding(standing, paramRef=reference)]


def _peers(allowed: tuple[str, ...]) -> str:
    """CEL: whether one peer ``t`` of a rule may be talked to."""
    parts = []
    if "same-environment" in allowed:
        parts.append("(!has(t.namespaceSelector) && !has(t.ipBlock))")
    if "internet" in allowed:
        block = "t.ipBlock.cidr"
        parts.append(
            f"(has(t.ipBlock) && {words(_INSIDE)}.all(p, !cidr(p).containsCIDR({block}) && "
            f"(!cidr({block}).containsCIDR(p) || "
            "(has(t.ipBlock.except) && p in t.ipBlock.except))))"
        )
    return " || ".join(parts) or "false"


def _rules(setup: Setup) -> Obj:
    dns = "(has(r.ports) && r.ports.size() > 0 && r.ports.all(p, has(p.port) && "
    dns += "string(p.port) == '53' && !has(p.endPort)))"
    allowed = f"(has(r.to) && r.to.size() > 0 && r.to.all(t, {_peers(setup.egress)}))"
    if "dns" in setup.egress:
        allowed = f"{dns} || {allowed}"
    named = f"(request.name == '{NAME}')"
    return policy(
        setup, "network", "Pods of environments talk to nobody but whom the administrator allows.",
        matchConstraints={
            "namespaceSelector": environments(setup),
            "resourceRules": [rule(_GROUP, ["networkpolicies"], ["CREATE", "UPDATE", "DELETE"])],
        },
        validations=[
            must(
                "object == null || !has(object.spec.egress) || "
                f"object.spec.egress.all(r, {allowed})",
                "a NetworkPolicy of an environment may let pods out to "
                f"{', '.join(setup.egress) or 'nobody'} only",
            ),
            must(
                f"object == null || !({named} || object.metadata.name == '{NAME}') || "
                "((!has(object.spec.podSelector.matchLabels) || "
                "object.spec.podSelector.matchLabels.size() == 0) && "
                "(!has(object.spec.podSelector.matchExpressions) || "
                "object.spec.podSelector.matchExpressions.size() == 0) && "
                "has(object.spec.policyTypes) && 'Egress' in object.spec.policyTypes && "
                "'Ingress' in object.spec.policyTypes)",
                f"the NetworkPolicy {NAME} selects every pod, in both directions",
            ),
            must(
                f"object != null || !{named} || !({by_the_environment(setup)})",
                f"the NetworkPolicy {NAME} goes with its environment",
            ),
        ],
    )  # fmt: skip


def _standing(setup: Setup) -> Obj:
    return policy(
        setup, "default-deny", "No pod starts before the network is closed.",
        paramKind={"apiVersion": f"{_GROUP}/v1", "kind": "NetworkPolicy"},
        matchConstraints={
            "namespaceSelector": environments(setup),
            "resourceRules": [rule("", ["pods"], ["CREATE"])],
        },
        validations=[
            must(
                "has(params.spec.policyTypes) && 'Egress' in params.spec.policyTypes",
                f"pods of an environment start only where its NetworkPolicy {NAME} stands",
            ),
        ],
    )  # fmt: skip
