"""The permissions that ``doctor`` asks for are enough for everything else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from envctl.model.permissions import Scope, needed
from tests.cluster.app import App

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cluster.node import Envctl, Kubectl, Node

_RBAC = "rbac.authorization.k8s.io"
CONTEXT = "kind-narrow"


def _rules(*scopes: Scope) -> list[dict[str, Any]]:
    return [
        {"apiGroups": [p.group], "resources": [p.resource], "verbs": [p.verb]}
        for p in needed()
        if p.scope in scopes
    ]


def _granted(name: str) -> list[dict[str, Any]]:
    """An account with exactly these rights, as an administrator would set it up."""
    label = {"envctl.dev/project": name}
    subject = {"kind": "ServiceAccount", "name": "ci", "namespace": f"{name}-ci"}

    def ref(kind: str) -> dict[str, str]:
        return {"apiGroup": _RBAC, "kind": kind, "name": name}

    def rbac(kind: str, **meta: str) -> dict[str, Any]:
        return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": {"name": name, **meta}}

    system = {"namespace": "envctl-system"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "envctl-system"}},
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": f"{name}-ci", "labels": label},
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "ci", "namespace": f"{name}-ci"},
        },
        {**rbac("ClusterRole"), "rules": _rules(Scope.CLUSTER, Scope.ENVIRONMENT)},
        {**rbac("ClusterRoleBinding"), "roleRef": ref("ClusterRole"), "subjects": [subject]},
        {**rbac("Role", **system), "rules": _rules(Scope.SYSTEM)},
        {**rbac("RoleBinding", **system), "roleRef": ref("Role"), "subjects": [subject]},
    ]


@pytest.fixture
def narrow(kubectl: Kubectl, node: Node, project: str, tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig of an account that may do what doctor asks for, and nothing else."""
    kubectl.apply("\n---\n".join(json.dumps(obj) for obj in _granted(project)))
    token = kubectl.run("create", "token", "ci", "-n", f"{project}-ci").stdout.strip()
    config = kubectl("config", "view", "--raw", "--minify", "--context", node.context)
    config["users"] = [{"name": "narrow", "user": {"token": token}}]
    context = {"cluster": config["clusters"][0]["name"], "user": "narrow"}
    config["contexts"] = [{"name": CONTEXT, "context": context}]
    config["current-context"] = CONTEXT
    path = tmp_path / "narrow"
    path.write_text(json.dumps(config))
    yield path
    kubectl.run("delete", "clusterrole,clusterrolebinding", project)
    kubectl.run("delete", "role,rolebinding", project, "-n", "envctl-system")


def test_what_doctor_asks_for_is_enough(
    envctl: Envctl,
    node: Node,
    kubectl: Kubectl,
    project: str,
    write: Callable[[dict[str, str]], Path],
    narrow: Path,
) -> None:
    app = App(envctl, node, kubectl, project, write)
    write({"envctl.yaml": app.config().replace(node.context, CONTEXT)})
    env = {"KUBECONFIG": str(narrow)}

    checks = {c["name"]: c for c in app.run("doctor", env=env).json["checks"]}
    assert checks["permissions"]["result"] == "ok"
    assert app.up(env=env)["result"] == "succeeded"
    assert app.run("plan", env=env).json["changes"]
    assert app.run("status", env=env).json["environment"]["phase"] == "Ready"
    assert app.run("logs", "--component", "smoke", env=env).json["lines"]
    for role in ("view", "edit"):
        assert app.run("kubeconfig", "--role", role, env=env).json["expiresAt"]
    assert app.run("extend", "--for", "99h", env=env).json["result"] == "extended"
    sweep = ("gc", "--context", CONTEXT, "--project", project, "-o", "json")
    assert [e["name"] for e in envctl(*sweep, env=env, check=0).json["kept"]] == ["it"]
    note = f"envctl.dev/keep={'2001-01-01T00:00:00Z by ann'}"
    over = ("envctl.dev/expires-at-", "envctl.dev/extended-until-",
            "envctl.dev/last-used-at=2001-01-01T00:00:00Z", note)  # fmt: skip
    kubectl("annotate", "namespace", app.namespace, "--overwrite", *over)
    assert [e["name"] for e in envctl(*sweep, env=env, check=0).json["deleted"]] == ["it"]
    assert app.run("down", env=env).json["result"] == "absent"
