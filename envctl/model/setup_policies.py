"""The limits of a set-up that RBAC cannot state, as ValidatingAdmissionPolicies (law 9).

They hold for the set-up's accounts, wherever they write: which namespaces they may touch, that they
touch nothing beside those, nothing cluster-wide, and let nobody else in. ``setup_limits`` and
``setup_network`` have those that hold in the environments for whoever writes there. Kubernetes 1.30
and newer have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import environment as env
from envctl.model.setup_cel import (
    accounts,
    binding,
    by_the_environment,
    condition,
    environments,
    must,
    owned,
    policy,
    rule,
    whose,
    words,
)

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.model.setup import Setup

_RBAC = "rbac.authorization.k8s.io"
#: What `ENVCTL_PROFILE=confined` writes as the namespace's ``env.PROFILE``.
_CONFINED = "confined"
_ENFORCE = "pod-security.kubernetes.io/enforce"
_VERSION = "pod-security.kubernetes.io/enforce-version"
_LEVELS = {"baseline": ["baseline", "restricted"], "restricted": ["restricted"]}


def objects(setup: Setup) -> list[Obj]:
    """Each policy with its binding."""
    policies = (_namespaces(setup), _scope(setup), _cluster(setup), _bindings(setup))
    return [obj for made in policies for obj in (made, binding(made))]


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
    allowed = f"(variables.confined ? ['restricted'] : {words(_LEVELS[setup.security])})"
    same = " && ".join(f"{before}['{key}'] == {now}['{key}']" for key in (env.PROJECT, env.NAME))
    return policy(
        setup, "namespaces", "Envctl's accounts touch the namespaces of environments only.",
        matchConstraints={
            "resourceRules": [rule("", ["namespaces", "namespaces/*"], ["*"])],
        },
        matchConditions=accounts(setup),
        variables=_variables(),
        validations=[
            must(
                f"(object == null || ({owned(now, setup)})) && "
                f"(oldObject == null || ({owned(before, setup)}))",
                f"this account may touch only namespaces that carry the labels of an envctl "
                f"environment{whose(setup)}, and may neither add nor remove those labels",
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
    inside = f"namespaceObject != null && has({labels}) && {owned(labels, setup)}"
    lock = (
        f"request.namespace == '{env.SYSTEM_NAMESPACE}' && "
        f"request.resource.resource == 'leases' && ({_own_lock(setup)})"
    )
    return policy(
        setup, "scope", "Envctl's accounts write inside environments only, and their locks.",
        matchConstraints={
            "resourceRules": [rule("*", ["*/*"], ["*"], scope="Namespaced")],
        },
        matchConditions=accounts(setup),
        validations=[
            must(
                f"({inside}) || ({lock})",
                f"this account may write only in namespaces of envctl environments{whose(setup)}",
            ),
        ],
    )  # fmt: skip


def _own_lock(setup: Setup) -> str:
    """CEL: whether a Lease, as it was and as it will be, is of one of the set-up's projects.

    By its labels and its name: `shop-eu-1` may be of the project `shop` or of `shop-eu`.
    """
    if not setup.projects:
        return "true"
    label, name = f"o.metadata.labels['{env.PROJECT}']", f"o.metadata.labels['{env.NAME}']"
    labelled = (
        f"has(o.metadata.labels) && '{env.PROJECT}' in o.metadata.labels && "
        f"'{env.NAME}' in o.metadata.labels && {label} in {words(setup.projects)} && "
        f"o.metadata.name == {label} + '-' + {name}"
    )
    return f"[object, oldObject].all(o, o == null || ({labelled}))"


def _bindings(setup: Setup) -> Obj:
    """Who is let into an environment: its own service accounts, and whom the set-up names."""
    known = {f"{s['kind']}/{s.get('namespace', '')}/{s['name']}" for subjects in setup.subjects()
             for s in subjects}  # fmt: skip
    subject = "s.kind + '/' + (has(s.namespace) ? s.namespace : '') + '/' + s.name"
    return policy(
        setup, "bindings", "Envctl's accounts let nobody else into an environment.",
        matchConstraints={
            "namespaceSelector": environments(setup),
            "resourceRules": [rule(_RBAC, ["rolebindings"], ["CREATE", "UPDATE"])],
        },
        matchConditions=[condition("accounts", by_the_environment(setup))],
        validations=[
            must(
                "!has(object.subjects) || object.subjects.all(s, (s.kind == 'ServiceAccount' && "
                "has(s.namespace) && s.namespace == request.namespace) || "
                f"(object.roleRef.name in {words(setup.roles)} && "
                f"({subject}) in {words(sorted(known))}))",
                "a RoleBinding of an environment may name only service accounts of its own "
                "namespace",
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
        matchConditions=accounts(setup),
        validations=[
            must(
                f"request.resource.group in {reviews} || "
                "(request.resource.group == '' && request.resource.resource == 'namespaces')",
                "this account may write nothing outside namespaces",
            ),
        ],
    )  # fmt: skip
