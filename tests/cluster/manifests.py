"""A folder of 300 manifests, as a grown application has them: many kinds, many hands.

Some files hold several objects, one holds a List, some are JSON, some have comments, empty
documents and Windows line ends; a few objects run pods.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Object = dict[str, Any]


def write_300(folder: Path) -> dict[str, set[str]]:
    """Write 346 objects in 300 files below ``folder``; returns their names by kind, in plural."""
    objects = {
        "configmaps": [_config_map(number) for number in range(176)],
        "secrets": [_secret(number) for number in range(30)],
        "services": [_service(number) for number in range(60)],
        "serviceaccounts": [_service_account(number) for number in range(30)],
        "roles": [_role(number) for number in range(20)],
        "rolebindings": [_role_binding(number) for number in range(20)],
        "networkpolicies": [_network_policy(number) for number in range(6)],
        "deployments": [_deployment(number) for number in range(4)],
    }
    for number, settings in enumerate(objects["configmaps"]):
        _write_one(folder / "settings" / f"{settings['metadata']['name']}.yaml", settings, number)
    for kind in ("secrets", "services", "serviceaccounts"):
        for entry in objects[kind]:
            _write_one(folder / kind / f"{entry['metadata']['name']}.yml", entry, 0)
    _write_list(folder / "access" / "roles.json", objects["roles"])
    _write_stream(folder / "access" / "bindings.yaml", objects["rolebindings"])
    _write_stream(folder / "network" / "policies.yaml", objects["networkpolicies"])
    _write_stream(folder / "00-workloads.yaml", objects["deployments"])  # before what they need
    assert sum(path.is_file() for path in folder.rglob("*")) == 300
    return {
        kind: {found["metadata"]["name"] for found in listed} for kind, listed in objects.items()
    }


def _write_one(file: Path, entry: Object, number: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = f"# {file.name}\n---\n{json.dumps(entry, indent=2)}\n---\n"
    file.write_bytes(text.replace("\n", "\r\n" if number % 10 == 0 else "\n").encode())


def _write_list(file: Path, entries: list[Object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": entries}))


def _write_stream(file: Path, entries: list[Object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"---\n{json.dumps(entry)}\n" for entry in entries))


def _object(api: str, kind: str, name: str, **rest: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **rest}


def _config_map(number: int) -> Object:
    values = {"number": str(number), "text": f"line one of {number}\nline two: ü ✓ # no comment\n"}
    return _object("v1", "ConfigMap", f"settings-{number:03}", data=values)


def _secret(number: int) -> Object:
    return _object("v1", "Secret", f"secret-{number:02}", stringData={"value": f"made up {number}"})


def _service(number: int) -> Object:
    ports = [{"port": 80, "targetPort": 8080}]
    spec: Object = {"selector": {"app": f"app-{number % 4}"}, "ports": ports}
    if number % 3 == 0:
        spec["clusterIP"] = "None"
    return _object("v1", "Service", f"service-{number:02}", spec=spec)


def _service_account(number: int) -> Object:
    return _object("v1", "ServiceAccount", f"account-{number:02}")


def _role(number: int) -> Object:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    return _object("rbac.authorization.k8s.io/v1", "Role", f"role-{number:02}", rules=rules)


def _role_binding(number: int) -> Object:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": f"role-{number:02}"}
    account = {"kind": "ServiceAccount", "name": f"account-{number:02}"}
    api = "rbac.authorization.k8s.io/v1"
    return _object(api, "RoleBinding", f"binding-{number:02}", roleRef=role, subjects=[account])


def _network_policy(number: int) -> Object:
    spec = {"podSelector": {"matchLabels": {"app": f"app-{number}"}}, "policyTypes": ["Ingress"]}
    return _object("networking.k8s.io/v1", "NetworkPolicy", f"policy-{number}", spec=spec)


def _deployment(number: int) -> Object:
    labels = {"app": f"app-{number}"}
    container = {
        "name": "hello",
        "image": "example/hello",
        "envFrom": [{"configMapRef": {"name": f"settings-{number:03}"}}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    runs = {"serviceAccountName": f"account-{number:02}", "containers": [container]}
    pod = {"metadata": {"labels": labels}, "spec": runs}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    return _object("apps/v1", "Deployment", f"app-{number}", spec=spec)
