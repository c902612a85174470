"""What a person may do with a credential that is confined to one environment.

``view`` reads everything but Secrets; ``edit`` may also try things out: exec, forward a port,
restart, scale, delete a pod. Neither may change the guardrails, nor grant anything to others. Each
role has an account of its own, so that a credential never grows by what somebody else asks for.
Kubernetes lets nobody grant more than they hold: every rule here is among what ``doctor`` asks for.
"""

from __future__ import annotations

import enum
from typing import Any

from envctl.model.objects import ROLE, ROLE_BINDING, SERVICE_ACCOUNT, Obj, Resource

_RBAC = "rbac.authorization.k8s.io"


class AccessRole(enum.StrEnum):
    """How much a credential may do."""

    VIEW = "view"
    EDIT = "edit"


def _rule(group: str, resources: tuple[str, ...], *verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


_READ = ("get", "list", "watch")
_WRITE = ("create", "update", "patch", "delete")
_VIEW = [
    _rule("", ("pods", "services", "configmaps", "events", "serviceaccounts",
               "persistentvolumeclaims", "resourcequotas", "limitranges"), *_READ),
    _rule("", ("pods/log",), "get"),
    _rule("", ("namespaces",), "get"),  # its own: a Role reaches no other
    _rule("apps", ("deployments", "statefulsets", "daemonsets", "replicasets"), *_READ),
    _rule("batch", ("jobs", "cronjobs"), *_READ),
    _rule("networking.k8s.io", ("ingresses", "networkpolicies"), *_READ),
    _rule("autoscaling", ("horizontalpodautoscalers",), *_READ),
    _rule("policy", ("poddisruptionbudgets",), *_READ),
]  # fmt: skip
_EDIT = [
    # exec, attach and port-forward are a GET over websockets, a POST before that.
    _rule("", ("pods/exec", "pods/attach", "pods/portforward"), "get", "create"),
    _rule("", ("pods", "services", "configmaps"), *_WRITE),
    _rule("apps", ("deployments", "statefulsets", "daemonsets"), *_WRITE),
    _rule("apps", ("deployments/scale", "statefulsets/scale"), "get", "update", "patch"),
    _rule("batch", ("jobs", "cronjobs"), *_WRITE),
]  # fmt: skip


def name_of(role: AccessRole) -> str:
    """The name of the account, the Role and the RoleBinding."""
    return f"envctl-access-{role}"


def rules(role: AccessRole) -> list[dict[str, Any]]:
    """The RBAC rules of a role."""
    return [*_VIEW, *_EDIT] if role is AccessRole.EDIT else _VIEW


def objects(role: AccessRole, namespace: str) -> list[tuple[Resource, Obj]]:
    """The account, the Role, and the RoleBinding that ties them, in this order."""
    name = name_of(role)
    return [
        (
            SERVICE_ACCOUNT,
            {**_object("v1", "ServiceAccount", name), "automountServiceAccountToken": False},
        ),
        (ROLE, {**_object(f"{_RBAC}/v1", "Role", name), "rules": rules(role)}),
        (
            ROLE_BINDING,
            {
                **_object(f"{_RBAC}/v1", "RoleBinding", name),
                "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
            },
        ),
    ]


def _object(api_version: str, kind: str, name: str) -> Obj:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}


def same(wanted: Obj, live: Obj) -> bool:
    """Whether a live object grants exactly what is wanted."""
    fields = [field for field in wanted if field not in {"apiVersion", "kind", "metadata"}]
    return all(live.get(field) == wanted[field] for field in fields)
