"""What may be in an environment, whoever writes it: Services, Ingresses, priorities, quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.setup_cel import binding, environments, must, policy, rule

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
        ceiling = _ceiling(setup)
        found += [ceiling, binding(ceiling), quota, binding(quota, paramRef=reference)]
    return found


def _inside(setup: Setup, group: str, resources: list[str]) -> Obj:
    return {
        "namespaceSelector": environments(setup),
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
                "!has(object.spec.type) || object.spec.type != 'ExternalName'",
                "a Service of an environment may not stand for a name outside of it: the ingress "
                "controller would go there",
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
        setup, "pods", "Pods of environments push out nothing that the cluster lives by, and run "
        "where the scheduler puts them.",
        matchConstraints=_inside(setup, "", ["pods"]),
        matchConditions=_ALIVE,
        validations=[
            must(
                "!has(object.spec.priorityClassName) || "
                "!object.spec.priorityClassName.startsWith('system-')",
                "a pod of an environment may not have a priority of the system's",
            ),
            must(
                "request.operation != 'CREATE' || !has(object.spec.nodeName)",
                "a pod of an environment may not choose its node past the scheduler",
            ),
            must(
                "request.operation != 'CREATE' || !has(object.spec.tolerations) || "
                "object.spec.tolerations.all(t, has(t.key) && t.key != '' && "
                "!t.key.startsWith('node-role.kubernetes.io/'))",
                "a pod of an environment may not tolerate every taint, nor those of the control "
                "plane",
            ),
        ],
    )  # fmt: skip


def _within(setup: Setup, hard: str) -> Obj:
    """What must hold of an environment's quota: each resource is in it, and at most the ceiling."""
    parts = [
        f"'{key}' in {hard} && quantity(string({hard}['{key}'])).compareTo(quantity('{most}')) <= 0"
        for key, most in setup.quota.items()
    ]
    ceiling = ", ".join(f"{key} {most}" for key, most in setup.quota.items())
    return must(
        f"has({hard}) && " + " && ".join(parts),
        f"environment.quota may be at most {ceiling}, and must name each of them",
    )


def _ceiling(setup: Setup) -> Obj:
    return policy(
        setup, "ceiling", "No environment grants itself more than the administrator does.",
        matchConstraints=_inside(setup, "", ["resourcequotas"]),
        matchConditions=[
            *_ALIVE,
            {"name": "is-envctls-own", "expression": f"object.metadata.name == '{QUOTA_NAME}'"},
        ],
        validations=[_within(setup, "object.spec.hard")],
    )  # fmt: skip


def _quota(setup: Setup) -> Obj:
    """Pods and volumes are made only where the environment's own quota stands, in the ceiling."""
    return policy(
        setup, "quota", "Nothing is made before the quota stands.",
        paramKind={"apiVersion": "v1", "kind": "ResourceQuota"},
        matchConstraints={
            "namespaceSelector": environments(setup),
            "resourceRules": [rule("", ["pods", "persistentvolumeclaims"], ["CREATE"])],
        },
        validations=[_within(setup, "params.spec.hard")],
    )  # fmt: skip
