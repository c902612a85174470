"""What admission policies are made of: their frame, and for whom and where they hold, in CEL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envctl.model import environment as env
from envctl.model.objects import digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.objects import Obj
    from envctl.model.setup import Setup

_API = "admissionregistration.k8s.io/v1"


def binding(made: Obj, **extra: Any) -> Obj:
    """What puts a policy into force."""
    name = made["metadata"]["name"]
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {
            "name": name,
            "annotations": {"envctl.dev/why": f"Puts {name} into force."},
        },
        "spec": {"policyName": name, "validationActions": ["Deny"], **extra},
    }


def policy(setup: Setup, name: str, why: str, **spec: Any) -> Obj:
    """A policy of the set-up that fails closed."""
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"{setup.name}-{name}", "annotations": {"envctl.dev/why": why}},
        "spec": {"failurePolicy": "Fail", **spec},
    }


def rule(group: str, resources: list[str], operations: list[str], **more: Any) -> Obj:
    """Which requests a policy looks at."""
    return {
        "apiGroups": [group], "apiVersions": ["*"], "resources": resources,
        "operations": operations, **more,
    }  # fmt: skip


def must(expression: str, message: str) -> Obj:
    """What must hold, in CEL, and what is said where it does not; answered with 403."""
    return {"expression": expression, "message": message, "reason": "Forbidden"}


def words(found: Iterable[str]) -> str:
    """A list of texts in CEL."""
    return json.dumps(list(found))


# For whom and where


def _is_account(setup: Setup) -> str:
    """CEL: whether a request is one of the set-up's accounts."""
    pipeline, gc, _ = setup.subjects()
    users: list[str] = []
    groups: list[str] = []
    for subject in [*pipeline, *gc]:
        if subject["kind"] == "ServiceAccount":
            users.append(f"system:serviceaccount:{subject['namespace']}:{subject['name']}")
        else:
            (users if subject["kind"] == "User" else groups).append(subject["name"])
    parts = []
    if users:
        parts.append(f"request.userInfo.username in {words(users)}")
    if groups:
        parts.append(
            f"(has(request.userInfo.groups) && "
            f"request.userInfo.groups.exists(g, g in {words(groups)}))"
        )
    return " || ".join(parts)


def accounts(setup: Setup) -> list[Obj]:
    """The match condition: a request of one of the set-up's accounts."""
    return [condition("accounts", _is_account(setup))]


def condition(name: str, expression: str) -> Obj:
    """A match condition, whose name changes with it: whoever reads the object sees that it did."""
    return {"name": f"{name}-{digest(expression)[:8]}", "expression": expression}


def by_the_environment(setup: Setup) -> str:
    """CEL: whether a request is the set-up's, or of a service account of the environment itself."""
    inner = (
        "request.userInfo.username.startsWith('system:serviceaccount:' + request.namespace + ':')"
    )
    return f"{_is_account(setup)} || {inner}"


def environments(setup: Setup) -> Obj:
    """Selects the environments of the set-up's projects."""
    whose: Obj = {"key": env.PROJECT, "operator": "Exists"}
    if setup.projects:
        whose = {"key": env.PROJECT, "operator": "In", "values": list(setup.projects)}
    return {"matchLabels": {env.MANAGED_BY: "envctl"}, "matchExpressions": [whose]}


def owned(labels: str, setup: Setup) -> str:
    """CEL: whether these labels are those of an environment of the set-up."""
    parts = [
        f"'{env.MANAGED_BY}' in {labels} && {labels}['{env.MANAGED_BY}'] == 'envctl'",
        f"'{env.PROJECT}' in {labels} && '{env.NAME}' in {labels}",
    ]
    if setup.projects:
        parts.append(f"{labels}['{env.PROJECT}'] in {words(setup.projects)}")
    return " && ".join(parts)


def whose(setup: Setup) -> str:
    """The set-up's projects, for a sentence."""
    return f" of {', '.join(setup.projects)}" if setup.projects else ""
