"""What an administrator sets up once in a cluster: one set-up, and what it grants where.

RBAC cannot select namespaces by label. So the accounts hold little everywhere, and what they need
inside an environment is bound there, in its namespace, when it is made: a ConfigMap says by which
RoleBindings. Admission policies (``setup_policies``) keep the accounts from doing so, or anything
else, in namespaces that are no environments of theirs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.model.environment import SYSTEM_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envctl.model.objects import Obj

RBAC = "rbac.authorization.k8s.io"
#: On every object: which set-up it belongs to. Several teams may have one each.
SETUP = "envctl.dev/setup"
#: On every object: why it is there.
WHY = "envctl.dev/why"
#: Keys of the ConfigMap that says what is bound in each environment.
BINDINGS, PROJECTS = "bindings", "projects"
#: How the names of policies end that go by another object of the environment, its quota or its
#: network policy, of which the API server learns by a watch.
BY_ANOTHER = ("-quota", "-default-deny")
#: Whom pods may talk to unless the administrator says otherwise: nothing inside of the cluster, or
#: of the network that it is in.
EGRESS = ("dns", "same-environment", "internet")


@dataclass(frozen=True, slots=True)
class Setup:
    """One set-up: who works (``users``, ``groups``, or an account of its own), on what, how far.

    ``projects`` empty means any; ``domains`` empty leaves host names free; ``quota`` is the most
    that an environment's ResourceQuota may grant, ``egress`` whom its pods may talk to.
    """

    name: str = "envctl"
    projects: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    gc_groups: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    security: str = "baseline"
    load_balancers: bool = False
    quota: Mapping[str, str] = field(default_factory=dict)
    egress: tuple[str, ...] = EGRESS

    @property
    def pipeline(self) -> str:
        """The name of the pipeline's account and cluster-wide role."""
        return f"{self.name}-pipeline"

    @property
    def gc(self) -> str:
        """The name of the clean-up's account and cluster-wide role."""
        return f"{self.name}-gc"

    @property
    def roles(self) -> tuple[str, str, str]:
        """What is bound inside environments: the pipeline's role, the clean-up's, people's."""
        return (f"{self.name}-environment", f"{self.name}-gc-environment", f"{self.name}-view")

    @property
    def own_account(self) -> bool:
        """Whether the pipeline gets a ServiceAccount: where nobody else is named."""
        return not (self.users or self.groups)

    def subjects(self) -> tuple[list[Obj], list[Obj], list[Obj]]:
        """Whom the pipeline's, the clean-up's and the people's roles are bound to."""
        pipeline = _people(self.users, self.groups)
        if self.own_account:
            pipeline.append(_account(self.pipeline))
        gc = [_account(self.gc), *_people((), self.gc_groups)]
        return pipeline, gc, _people((), self.viewers)


def _account(name: str) -> Obj:
    return {"kind": "ServiceAccount", "name": name, "namespace": SYSTEM_NAMESPACE}


def _people(users: Iterable[str], groups: Iterable[str]) -> list[Obj]:
    return [{"apiGroup": RBAC, "kind": "User", "name": name} for name in users] + [
        {"apiGroup": RBAC, "kind": "Group", "name": name} for name in groups
    ]


def described(api_version: str, kind: str, name: str, why: str, **rest: Any) -> Obj:
    """An object that says why it is there; ``namespace`` goes into its metadata."""
    namespace = rest.pop("namespace", "")
    meta: dict[str, Any] = {"name": name, "annotations": {WHY: why}}
    if namespace:
        meta["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **rest}


def grants(setup: Setup) -> Obj:
    """What envctl binds in each environment that it makes."""
    bindings = [
        {"role": role, "subjects": subjects}
        for role, subjects in zip(setup.roles, setup.subjects(), strict=True)
        if subjects
    ]
    return described(
        "v1", "ConfigMap", f"{setup.name}-grants",
        "Says which roles envctl binds in each environment that it makes, and to whom.",
        namespace=SYSTEM_NAMESPACE,
        data={PROJECTS: " ".join(setup.projects), BINDINGS: json.dumps(bindings)},
    )  # fmt: skip


def granted(config: Obj, namespace: str, project: str, labels: Mapping[str, str]) -> list[Obj]:
    """The RoleBindings that a set-up's ConfigMap asks for in an environment of ``project``."""
    data = config.get("data") or {}
    if data.get(PROJECTS) and project not in data[PROJECTS].split():
        return []
    return [
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {
                "name": item["role"],
                "namespace": namespace,
                "labels": dict(labels),
                "annotations": {WHY: "Gives the set-up's role inside this environment."},
            },
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": item["role"]},
            "subjects": item["subjects"],
        }
        for item in json.loads(data.get(BINDINGS, "[]"))
    ]
