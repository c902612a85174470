"""What the credential must be allowed: everything that ``up`` and ``down`` ever ask the API."""

from __future__ import annotations

import enum
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Scope(enum.StrEnum):
    """Where a permission is needed."""

    CLUSTER = "cluster"
    ENVIRONMENT = "environment"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One verb on one resource; ``resource`` has its subresource behind a slash."""

    scope: Scope
    group: str
    resource: str
    verb: str
    optional_for: str = ""

    def review(self, namespace: str) -> dict[str, Any]:
        """The SelfSubjectAccessReview that asks for it, ``namespace`` being the environment's."""
        where = {Scope.ENVIRONMENT: namespace, Scope.SYSTEM: SYSTEM_NAMESPACE}.get(self.scope, "")
        resource, _, subresource = self.resource.partition("/")
        attributes = {
            "verb": self.verb, "group": self.group, "resource": resource,
            "subresource": subresource, "namespace": where,
        }  # fmt: skip
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {k: v for k, v in attributes.items() if v}},
        }


_READ = "get list watch"
#: Server-side apply makes and changes by a patch; Helm replaces its Secrets, `edit` lends more.
_OWN = "create patch delete"
_ALL = f"{_READ} update {_OWN}"
_CHARTS = "applications that bring objects of this kind"
#: scope, group, resources, verbs, and for what alone it is needed.
_TABLE: tuple[tuple[Scope, str, str, str, str], ...] = (
    (Scope.CLUSTER, "", "namespaces", f"{_READ} create patch delete", ""),
    (Scope.CLUSTER, "", "persistentvolumes", "get list watch",
     "`down`, to prove that volumes are gone"),
    (Scope.CLUSTER, "networking.k8s.io", "ingressclasses", "list",
     "`up`, to see that an Ingress names a class that there is"),
    (Scope.SYSTEM, "coordination.k8s.io", "leases", "get create update", ""),
    (Scope.SYSTEM, "coordination.k8s.io", "leases", "list delete", "`gc`"),
    (Scope.ENVIRONMENT, "", "configmaps services pods", _ALL, ""),
    (Scope.ENVIRONMENT, "", "secrets", f"get list update {_OWN}", ""),
    (Scope.ENVIRONMENT, "", "secrets", "watch", "`logs --follow`, to hide what they hold"),
    (Scope.ENVIRONMENT, "",
     "serviceaccounts persistentvolumeclaims resourcequotas limitranges", f"{_READ} {_OWN}", ""),
    (Scope.ENVIRONMENT, "", "events", _READ, ""),
    (Scope.ENVIRONMENT, "", "pods/log", "get", ""),
    (Scope.ENVIRONMENT, "discovery.k8s.io", "endpointslices", "watch",
     "`up`, to see that a Service leads to pods"),
    (Scope.ENVIRONMENT, "apps", "deployments statefulsets daemonsets", _ALL, ""),
    (Scope.ENVIRONMENT, "apps", "replicasets", _READ, ""),
    (Scope.ENVIRONMENT, "batch", "jobs cronjobs", _ALL, ""),
    (Scope.ENVIRONMENT, "networking.k8s.io", "ingresses networkpolicies", f"{_READ} {_OWN}", ""),
    (Scope.ENVIRONMENT, "autoscaling", "horizontalpodautoscalers", f"{_READ} {_OWN}", _CHARTS),
    (Scope.ENVIRONMENT, "policy", "poddisruptionbudgets", f"{_READ} {_OWN}", _CHARTS),
    (Scope.ENVIRONMENT, "rbac.authorization.k8s.io", "roles rolebindings", f"get list {_OWN}",
     "`kubeconfig`, and applications that bring roles"),
    (Scope.ENVIRONMENT, "", "serviceaccounts/token", "create", "`kubeconfig`"),
    (Scope.ENVIRONMENT, "", "pods/exec pods/attach pods/portforward", "get create",
     "`kubeconfig --role edit`"),
    (Scope.ENVIRONMENT, "apps", "deployments/scale statefulsets/scale", "get update patch",
     "`kubeconfig --role edit`"),
)  # fmt: skip


def needed() -> list[Permission]:
    """Every permission, those without which nothing works first."""
    found = list(_permissions())
    return sorted(found, key=lambda permission: bool(permission.optional_for))


def _permissions() -> Iterator[Permission]:
    for scope, group, resources, verbs, optional_for in _TABLE:
        for resource in resources.split():
            for verb in verbs.split():
                yield Permission(scope, group, resource, verb, optional_for)


#: What tells something when it is read: granted inside environments only.
_CONFIDENTIAL = ("secrets", "configmaps")
#: Deleted after the namespace, when what was granted inside it may be gone already.
_LAST = ("pods", "persistentvolumeclaims")
#: What `gc` deletes with a release, but never makes: it grants nothing.
_NOT_FOR_GC = ("roles", "rolebindings")


def everywhere(permission: Permission) -> bool:
    """Whether it is needed before anything can be granted inside the environment, or after.

    RBAC cannot select namespaces by label, so what is true here holds in every namespace: looking
    at what is no secret (a teardown that is stuck must name what holds it when the grants in the
    namespace are gone already), and ending pods.
    """
    if permission.scope is not Scope.ENVIRONMENT:
        return permission.scope is Scope.CLUSTER
    if permission.resource in _LAST and permission.verb == "delete":
        return True
    readable = permission.resource not in _CONFIDENTIAL and "/" not in permission.resource
    return readable and permission.verb in _READ.split()


def for_gc(permission: Permission) -> bool:
    """Whether a scheduled clean-up needs it: it makes no environment and grants nothing."""
    if permission.scope is Scope.CLUSTER:
        return permission.verb != "create"
    if permission.scope is Scope.SYSTEM:
        return True
    if "/" in permission.resource:
        return permission.resource == "pods/log"
    return permission.resource not in _NOT_FOR_GC or permission.verb in (*_READ.split(), "delete")


def rules(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    """RBAC rules that grant exactly these; resources with the same verbs share one."""
    verbs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for p in permissions:
        verbs[p.group, p.resource].append(p.verb)
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource), found in verbs.items():
        shared[group, tuple(found)].append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(found)}
        for (group, found), resources in shared.items()
    ]


def findings(denied: list[Permission], asked: int, who: str) -> list[Finding]:
    """One finding for each rule that is to be added; resources with the same verbs share one."""
    if not denied:
        return [ok("permissions", f"all {asked} that envctl needs")]
    verbs: dict[tuple[Scope, str, str, str], list[str]] = defaultdict(list)
    for p in denied:
        verbs[p.scope, p.group, p.optional_for, p.resource].append(p.verb)
    rules: dict[tuple[Scope, str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (scope, group, optional_for, resource), missing in verbs.items():
        rules[scope, group, optional_for, tuple(missing)].append(resource)
    return [_missing(*key, resources, who) for key, resources in rules.items()]


_PLACES = {
    Scope.CLUSTER: ("in the cluster", "a ClusterRole"),
    Scope.ENVIRONMENT: ("in the environment's namespace", "a ClusterRole"),
    Scope.SYSTEM: (f"in {SYSTEM_NAMESPACE}", f"a Role in {SYSTEM_NAMESPACE}"),
}


def _missing(
    scope: Scope, group: str, optional_for: str, verbs: tuple[str, ...], resources: list[str],
    who: str,
) -> Finding:  # fmt: skip
    where, role = _PLACES[scope]
    what = f"{', '.join(verbs)} {', '.join(resources)}"
    detail = f"{who or 'the credential'} may not {what} {where}"
    rule = f"{{apiGroups: {_list([group])}, resources: {_list(resources)}, verbs: {_list(verbs)}}}"
    next_step = f"An administrator adds this rule to {role} that is bound to it: {rule}"
    if optional_for:
        return warn("permissions", f"{detail}; needed for {optional_for}", next_step)
    return fail("permissions", detail, next_step)


def _list(words: Sequence[str]) -> str:
    """A list as YAML and JSON both read it."""
    return json.dumps(list(words))
