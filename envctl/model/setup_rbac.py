"""The rights of a set-up: accounts, roles, and who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import access, permissions, record
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.permissions import Permission, Scope
from envctl.model.setup import RBAC, described

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.model.setup import Setup


def accounts(setup: Setup) -> list[Obj]:
    """The ServiceAccounts; nothing runs as them in the cluster, so they mount no token."""
    names = [(setup.gc, "Runs `envctl gc` by schedule.")]
    if setup.own_account:
        names.insert(0, (setup.pipeline, "Runs envctl in pipelines."))
    return [
        described("v1", "ServiceAccount", name, why, namespace=SYSTEM_NAMESPACE,
                  automountServiceAccountToken=False)
        for name, why in names
    ]  # fmt: skip


def roles(setup: Setup) -> list[Obj]:
    """What may be done everywhere, what inside environments, and what beside the locks."""
    needed = permissions.needed()
    inside = [p for p in needed if p.scope is Scope.ENVIRONMENT]
    lean = [p for p in inside if permissions.for_gc(p)]
    work, clean, view = setup.roles
    return [
        _role(setup.pipeline, "What the pipeline may do in every namespace: look at what is no "
              "secret, end pods, make namespaces; the admission policies narrow it.",
              _everywhere(setup, needed)),
        _role(setup.gc, "What the clean-up may do in every namespace; it makes none.",
              _everywhere(setup, [p for p in needed if permissions.for_gc(p)])),
        _role(work, "Bound in each environment: what a deployment needs there.",
              permissions.rules(inside)),
        _role(clean, "Bound in each environment: what a teardown and its hooks need there.",
              permissions.rules(lean)),
        _role(view, "Bound in each environment: people read everything but Secrets.",
              access.rules(access.AccessRole.VIEW)),
        _role(f"{setup.name}-list", "People see which environments there are.",
              [_rule("", ["namespaces"], ["get", "list"])]),
        *_system_roles(setup, needed),
    ]  # fmt: skip


def _everywhere(setup: Setup, needed: list[Permission]) -> list[Obj]:
    """Cluster-wide rules, with what it takes to bind the other roles inside an environment."""
    return [
        *permissions.rules(p for p in needed if permissions.everywhere(p)),
        {**_rule("", ["configmaps"], ["get"]), "resourceNames": [record.NAME]},
        _rule(RBAC, ["rolebindings"], ["create", "patch"]),
        {**_rule(RBAC, ["clusterroles"], ["bind"]), "resourceNames": list(setup.roles)},
    ]


def _system_roles(setup: Setup, needed: list[Permission]) -> list[Obj]:
    locks = [
        *permissions.rules(p for p in needed if p.scope is Scope.SYSTEM),
        _rule("", ["configmaps"], ["list"]),
    ]
    see = [_rule("coordination.k8s.io", ["leases"], ["get"])]
    return [
        described(f"{RBAC}/v1", "Role", setup.pipeline, "Locks, and what to bind in environments.",
                  namespace=SYSTEM_NAMESPACE, rules=locks),
        described(f"{RBAC}/v1", "Role", setup.roles[2], "People see who works on an environment.",
                  namespace=SYSTEM_NAMESPACE, rules=see),
    ]  # fmt: skip


def _rule(group: str, resources: list[str], verbs: list[str]) -> Obj:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _role(name: str, why: str, rules: list[Obj]) -> Obj:
    return described(f"{RBAC}/v1", "ClusterRole", name, why, rules=rules)


def bindings(setup: Setup) -> list[Obj]:
    """Who holds the roles that are not bound inside environments."""
    pipeline, gc, people = setup.subjects()
    found = [
        _binding("ClusterRoleBinding", setup.pipeline, "ClusterRole", setup.pipeline, pipeline),
        _binding("ClusterRoleBinding", setup.gc, "ClusterRole", setup.gc, gc),
        _binding("RoleBinding", setup.pipeline, "Role", setup.pipeline, [*pipeline, *gc]),
    ]
    if people:
        name = f"{setup.name}-list"
        found += [
            _binding("ClusterRoleBinding", name, "ClusterRole", name, people),
            _binding("RoleBinding", setup.roles[2], "Role", setup.roles[2], people),
        ]
    return found


def _binding(kind: str, name: str, role_kind: str, role: str, subjects: list[Obj]) -> Obj:
    place = {"namespace": SYSTEM_NAMESPACE} if kind == "RoleBinding" else {}
    return described(
        f"{RBAC}/v1", kind, name, f"Gives {role} to whom it is for.", **place,
        roleRef={"apiGroup": RBAC, "kind": role_kind, "name": role}, subjects=subjects,
    )  # fmt: skip
