"""The limits of a set-up that RBAC cannot state, as ValidatingAdmissionPolicies (law 9).

Three hold for the set-up's accounts, wherever they write: which namespaces they may touch, that
they touch nothing beside those, and nothing cluster-wide. ``setup_limits`` has those that
hold in the environments for whoever writes there. Kubernetes 1.30 and newer have them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envctl.model import environment as env
from envctl.model.objects import digest

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.model.setup import Setup

_API = "admissionregistration.k8s.io/v1"
#: What `ENVCTL_PROFILE=confined` writes as the namespace's ``env.PROFILE``.
_CONFINED = "confined"
_ENFORCE = "pod-security.kubernetes.io/enforce"
_VERSION = "pod-security.kubernetes.io/enforce-version"
_LEVELS = {"baseline": ["baseline", "restricted"], "restricted": ["restricted"]}


def objects(setup: Setup) -> list[Obj]:
    """Each policy with its binding."""
    policies = (_namespaces(setup), _scope(setup), _cluster(setup))
    return [obj for made in policies for obj in (made, binding(made))]


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


def _list(words: tuple[str, ...] | list[str]) -> str:
    return json.dumps(list(words))


# For whom and where


def _accounts(setup: Setup) -> list[Obj]:
    """A request of one of the set-up's accounts."""
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
        parts.append(f"request.userInfo.username in {_list(users)}")
    if groups:
        parts.append(
            f"(has(request.userInfo.groups) && "
            f"request.userInfo.groups.exists(g, g in {_list(groups)}))"
        )
    # A name that changes with the expression, so that who reads the object sees what it depends on.
    return [{"name": f"accounts-{digest(parts)[:8]}", "expression": " || ".join(parts)}]


def _owned(labels: str, setup: Setup) -> str:
    """CEL: whether these labels are those of an environment of the set-up."""
    parts = [
        f"'{env.MANAGED_BY}' in {labels} && {labels}['{env.MANAGED_BY}'] == 'envctl'",
        f"'{env.PROJECT}' in {labels} && '{env.NAME}' in {labels}",
    ]
    if setup.projects:
        parts.append(f"{labels}['{env.PROJECT}'] in {_list(setup.projects)}")
    return " && ".join(parts)


def _whose(setup: Setup) -> str:
    return f" of {', '.join(setup.projects)}" if setup.projects else ""


# What the accounts may touch


def _labels(name: str, holder: str) -> Obj:
    return {
        "name": name,
        "expression": f"{holder} != null && has({holder}.metadata.labels) ? "
        f"{holder}.metadata.labels : {{}}",
    }


def _variables() -> list[Obj]:
    """The labels before and after, and what they say of Pod Security."""
    found = [_labels("now", "object"), _labels("before", "oldObject")]
    for labels, level, version, confined in (
        ("now", "level", "version", "confined"),
        ("before", "oldLevel", "oldVersion", "wasConfined"),
    ):
        found += [
            _label(level, f"variables.{labels}", _ENFORCE, "privileged"),
            _label(version, f"variables.{labels}", _VERSION, "latest"),
            {
                "name": confined,
                "expression": f"'{env.PROFILE}' in variables.{labels} && "
                f"variables.{labels}['{env.PROFILE}'] == '{_CONFINED}'",
            },
        ]
    return found


def _label(name: str, labels: str, key: str, default: str) -> Obj:
    return {
        "name": name,
        "expression": f"'{key}' in {labels} ? {labels}['{key}'] : '{default}'",
    }


def _namespaces(setup: Setup) -> Obj:
    now, before = "variables.now", "variables.before"
    allowed = f"(variables.confined ? ['restricted'] : {_list(_LEVELS[setup.security])})"
    same = " && ".join(f"{before}['{key}'] == {now}['{key}']" for key in (env.PROJECT, env.NAME))
    return policy(
        setup, "namespaces", "Envctl's accounts touch the namespaces of environments only.",
        matchConstraints={
            "resourceRules": [rule("", ["namespaces", "namespaces/*"], ["*"])],
        },
        matchConditions=_accounts(setup),
        variables=_variables(),
        validations=[
            must(
                f"(object == null || ({_owned(now, setup)})) && "
                f"(oldObject == null || ({_owned(before, setup)}))",
                f"this account may touch only namespaces that carry the labels of an envctl "
                f"environment{_whose(setup)}, and may neither add nor remove those labels",
            ),
            must(
                f"object == null || object.metadata.name == "
                f"{now}['{env.PROJECT}'] + '-' + {now}['{env.NAME}']",
                "the namespace of an envctl environment is named PROJECT-NAME, as its labels say",
            ),
            must(
                f"object == null || oldObject == null || ({same})",
                "the labels that say whose environment it is may not be changed",
            ),
            must(
                "object == null || !variables.wasConfined || variables.confined",
                f"the label {env.PROFILE} of a confined environment may not be removed",
            ),
            must(
                f"object == null || (variables.level in {allowed} && variables.version == 'latest')"
                " || (oldObject != null && variables.level == variables.oldLevel && "
                "variables.version == variables.oldVersion && "
                "variables.confined == variables.wasConfined)",
                f"the namespace must enforce the Pod Security standard {setup.security} or "
                "stricter, restricted if it is confined, at its latest version",
            ),
        ],
    )  # fmt: skip


def _scope(setup: Setup) -> Obj:
    """Everything that is in a namespace: only in environments, and the locks."""
    labels = "namespaceObject.metadata.labels"
    inside = f"namespaceObject != null && has({labels}) && {_owned(labels, setup)}"
    named = "(object != null ? object.metadata.name : request.name)"
    mine = " || ".join(f"{named}.startsWith('{p}-')" for p in setup.projects) or "true"
    lock = (
        f"request.namespace == '{env.SYSTEM_NAMESPACE}' && "
        f"request.resource.resource == 'leases' && ({mine})"
    )
    return policy(
        setup, "scope", "Envctl's accounts write inside environments only, and their locks.",
        matchConstraints={
            "resourceRules": [rule("*", ["*/*"], ["*"], scope="Namespaced")],
        },
        matchConditions=_accounts(setup),
        validations=[
            must(
                f"({inside}) || ({lock})",
                f"this account may write only in namespaces of envctl environments{_whose(setup)}",
            ),
        ],
    )  # fmt: skip


def _cluster(setup: Setup) -> Obj:
    reviews = "['authorization.k8s.io', 'authentication.k8s.io']"
    return policy(
        setup, "cluster", "Envctl's accounts write nothing cluster-wide but namespaces.",
        matchConstraints={
            "resourceRules": [rule("*", ["*/*"], ["*"], scope="Cluster")],
        },
        matchConditions=_accounts(setup),
        validations=[
            must(
                f"request.resource.group in {reviews} || "
                "(request.resource.group == '' && request.resource.resource == 'namespaces')",
                "this account may write nothing outside namespaces",
            ),
        ],
    )  # fmt: skip
