"""Many environments, written straight through the API: as runs that have ended left them.

Each is a namespace with envctl's labels and annotations, its Lease, which nobody holds, and a
Secret as Helm keeps a release in it, of the size that a real one has.
"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from envctl.model import environment as env
from envctl.model import lifetime
from tests.bench import workloads
from tests.bench.lab import say
from tests.cluster.node import Kubectl, clean_environment, tool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.api import Api
    from tests.cluster.node import Node

Object = dict[str, Any]
PROJECT = "many"
_SECRET = "sh.helm.release.v1.web.v1"
_NAMESPACES = "/api/v1/namespaces"
_LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{env.SYSTEM_NAMESPACE}/leases"


def names(first: int, last: int, word: str = "e") -> list[str]:
    """The names of some environments."""
    return [f"{word}{number}" for number in range(first, last)]


def write(
    api: Api, wanted: Sequence[str], release: Object, *, expired: bool = False, fill: int = 0
) -> None:
    """Write these environments, with ``fill`` ConfigMaps each; an expired one's life is over."""
    if not wanted:
        return
    say(f"writing {len(wanted)} environments" + (", all expired" if expired else ""))
    api.all(("POST", _NAMESPACES, _namespace(name, expired=expired)) for name in wanted)
    api.all(("POST", _LEASES, _lease(name)) for name in wanted)
    api.all(
        ("POST", f"{_NAMESPACES}/{space(name)}/secrets", _secret(release)) for name in wanted
    )  # fmt: skip
    api.all(
        ("POST", f"{_NAMESPACES}/{space(name)}/configmaps", workloads.config_map(f"c-{number}"))
        for name in wanted
        for number in range(fill)
    )


def prepare(api: Api, node: Node, folder: Path) -> Object:
    """The namespace of the locks, and one real release to take the others' Secret from."""
    workloads.charts(folder, node.context)
    system = {"metadata": {"name": env.SYSTEM_NAMESPACE, "labels": {env.MANAGED_BY: "envctl"}}}
    if api.call("GET", f"{_NAMESPACES}/{env.SYSTEM_NAMESPACE}") is None:
        api.call("POST", _NAMESPACES, system)
    subprocess.run(
        [tool("helm"), "upgrade", "--install", "web", "./web", "-n", "release",
         "--create-namespace", "--kubeconfig", str(node.kubeconfig)],
        cwd=folder, env=clean_environment(), check=True, capture_output=True,
    )  # fmt: skip
    found: Object = Kubectl(node)("get", "secret", _SECRET, "-n", "release")
    return found


def space(name: str) -> str:
    """The namespace of an environment."""
    return f"{PROJECT}-{name}"


def _labels(name: str) -> dict[str, str]:
    return {env.MANAGED_BY: "envctl", env.PROJECT: PROJECT, env.NAME: name}


def _namespace(name: str, *, expired: bool) -> Object:
    now = datetime.now(UTC)
    used = now - timedelta(hours=80 if expired else 1)
    notes = {
        env.PHASE: str(env.Phase.READY),
        env.LAST_USED: lifetime.stamp(used),
        env.EXPIRES: lifetime.stamp(used + timedelta(hours=72)),
        env.OWNER: "somebody",
        env.COMMIT: "0123456789abcdef0123456789abcdef01234567",
        env.PIPELINE: "1234",
        env.URL: f"https://{name}.preview.example.org",
        **lifetime.limits(72 * 3600.0, 14 * 86400.0),
    }
    return {"metadata": {"name": space(name), "labels": _labels(name), "annotations": notes}}


def _lease(name: str) -> Object:
    return {"metadata": {"name": space(name), "labels": _labels(name)}, "spec": {}}


def _secret(release: Object) -> Object:
    meta = {"name": _SECRET, "labels": release["metadata"].get("labels") or {}}
    return {"metadata": meta, "type": release["type"], "data": release["data"]}
