"""What may be in an environment, whoever writes it: Services, Ingresses, priorities, quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import environment as env
from envctl.model.setup_policies import binding, must, policy, rule

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.model.setup import Setup

#: The quota that envctl writes in each environment.
QUOTA_NAME = "envctl"
#: What is being deleted may lose its finalizer whatever it looks like.
_ALIVE = [{"name": "is-not-being-deleted", "expression": "!has(object.metadata.deletionTimestamp)"}]


def objects(setup: Setup) -> list[Obj]:
    """Each policy with its binding."""
    policies = [_pods(setup)]
    if not setup.load_balancers:
        policies.append(_services(setup))
    if setup.domains:
        policies.append(_ingresses(setup))
    found = [obj for made in policies for obj in (made, binding(made))]
    if setup.quota:
        quota = _quota(setup)
        reference = {"name": QUOTA_NAME, "parameterNotFoundAction": "Deny"}
        found += [quota, binding(quota, paramRef=reference)]
    return found


def _environments(setup: Setup) -> Obj:
    """Selects the environments of the set-up's projects."""
    whose: Obj = {"key": env.PROJECT, "operator": "Exists"}
    if setup.projects:
        whose = {"key": env.PROJECT, "operator": "In", "values": list(setup.projects)}
    return {"matchLabels": {env.MANAGED_BY: "envctl"}, "matchExpressions": [whose]}


def _inside(setup: Setup, group: str, resources: list[str]) -> Obj:
    return {
        "namespaceSelector": _environments(setup),
        "resourceRules": [rule(group, resources, ["CREATE", "UPDATE"])],
    }


def _services(setup: Setup) -> Obj:
    return policy(
        setup, "services", "Environments are reached through the ingress controller alone.",
        matchConstraints=_inside(setup, "", ["services"]),
        matchConditions=_ALIVE,
        validations=[
            must(
                "!has(object.spec.type) || !(object.spec.type in ['NodePort', 'LoadBalancer'])",
                "a Service of an environment may not be of type NodePort or LoadBalancer",
            ),
            must(
                "!has(object.spec.externalIPs) || object.spec.externalIPs.size() == 0",
                "a Service of an environment may not claim external IP addresses",
            ),
        ],
    )  # fmt: skip


def _ingresses(setup: Setup) -> Obj:
    below = " || ".join(f"HOST.endsWith('.{domain}')" for domain in setup.domains)
    rules = below.replace("HOST", "r.host")
    hosts = below.replace("HOST", "h")
    where = " or ".join(setup.domains)
    return policy(
        setup, "ingresses", "Environments answer below the domains of previews alone.",
        matchConstraints=_inside(setup, "networking.k8s.io", ["ingresses"]),
        matchConditions=_ALIVE,
        validations=[
            must(
                "has(object.spec.rules) && object.spec.rules.size() > 0 && "
                f"object.spec.rules.all(r, has(r.host) && ({rules}))",
                f"every rule of an environment's Ingress must name a host below {where}",
            ),
            must(
                "!has(object.spec.tls) || object.spec.tls.all(t, !has(t.hosts) || "
                f"t.hosts.all(h, {hosts}))",
                f"a certificate of an environment's Ingress must be for hosts below {where}",
            ),
        ],
    )  # fmt: skip


def _pods(setup: Setup) -> Obj:
    return policy(
        setup, "pods", "Pods of environments push out nothing that the cluster lives by.",
        matchConstraints=_inside(setup, "", ["pods"]),
        matchConditions=_ALIVE,
        validations=[
            must(
                "!has(object.spec.priorityClassName) || "
                "!object.spec.priorityClassName.startsWith('system-')",
                "a pod of an environment may not have a priority of the system's",
            ),
        ],
    )  # fmt: skip


def _quota(setup: Setup) -> Obj:
    """Pods start only where the environment's own quota stands and is within the ceiling."""
    hard = "params.spec.hard"
    parts = [
        f"'{key}' in {hard} && quantity(string({hard}['{key}'])).compareTo(quantity('{most}')) <= 0"
        for key, most in setup.quota.items()
    ]
    ceiling = ", ".join(f"{key} {most}" for key, most in setup.quota.items())
    return policy(
        setup, "quota", "No environment grants itself more than the administrator does.",
        paramKind={"apiVersion": "v1", "kind": "ResourceQuota"},
        matchConstraints={
            "namespaceSelector": _environments(setup),
            "resourceRules": [rule("", ["pods"], ["CREATE"])],
        },
        validations=[
            must(
                f"has({hard}) && " + " && ".join(parts),
                f"environment.quota may be at most {ceiling}, and must name each of them",
            ),
        ],
    )  # fmt: skip
