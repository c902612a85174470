"""What is deployed: S, three objects; M, 20 Helm releases in 5 layers; L, 300 plain objects.

Each as every tool wants it: an envctl.yaml, a shell loop of helm, a helmfile.yaml, one file of
manifests. The chart is what ``helm create`` writes, by the very helm that is measured. Every
container has a readiness probe, as those that are meant to be waited for have.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster import busybox
from tests.cluster.node import clean_environment, tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Object = dict[str, Any]
PROJECT = "bench"
#: Layers of M, and the releases of each; every one needs all of the layer before.
LAYERS, WIDTH = 5, 4
#: Objects of L: ConfigMaps, Services, Deployments as 10:5:3.
CONFIG_MAPS, SERVICES, DEPLOYMENTS = 167, 83, 50
#: A probe that comes a moment before the server listens is repeated after 10 s by default: whom
#: that hits is chance, and of ten times what is measured.
_PROBE = "readinessProbe:\n"
_HEAD = """\
apiVersion: envctl.dev/v1
project: %(project)s
cluster: {context: %(context)s, allowed: [%(context)s]}
components:
"""


def _named(api: str, kind: str, name: str, **rest: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **rest}


def config_map(name: str, note: str = "one", size: int = 0) -> Object:
    """A ConfigMap; ``size`` more bytes in it."""
    return _named("v1", "ConfigMap", name, data={"note": note, "rest": "x" * size})


def service(name: str, of: str = "") -> Object:
    """A Service of a Deployment, by default of the one of its own name."""
    spec = {"selector": {"app": of or name}, "ports": [{"port": 80}]}
    return _named("v1", "Service", name, spec=spec)


def deployment(name: str, gate: str = "", note: str = "one") -> Object:
    """One pod that is ready at once, or with ``gate`` when its condition of that type is True."""
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1}
    container = {
        "name": "main", "image": busybox.NAME, "command": ["sleep", "86400"],
        "readinessProbe": probe, "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}},
    }  # fmt: skip
    pod: Object = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    if gate:
        pod["readinessGates"] = [{"conditionType": gate}]
    labels = {"app": name}
    template = {"metadata": {"labels": labels, "annotations": {"note": note}}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return _named("apps/v1", "Deployment", name, spec=spec)


def small(note: str = "one") -> list[Object]:
    """S."""
    return [config_map("s", note), service("s"), deployment("s", note=note)]


def large(note: str = "one") -> list[Object]:
    """L; ``note`` stands in its first object alone."""
    maps = [config_map(f"m-{n}", note if n == 0 else "one") for n in range(CONFIG_MAPS)]
    services = [service(f"s-{n}", f"d-{n % DEPLOYMENTS}") for n in range(SERVICES)]
    return [*maps, *services, *(deployment(f"d-{n}") for n in range(DEPLOYMENTS))]


def manifests(folder: Path, context: str, objects: Iterable[Object]) -> Path:
    """A repository with one component of plain manifests, in one file; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(f"---\n{json.dumps(found)}\n" for found in objects)
    (folder / "all.yaml").write_text(text)
    component = {"name": "all", "manifests": ["all.yaml"]}
    write_envctl(folder, context, [component])
    return folder


def release(layer: int, place: int) -> str:
    """A release's name."""
    return f"r{layer}-{place}"


def releases(layers: int = LAYERS, width: int = WIDTH) -> dict[str, list[str]]:
    """The releases of M with what each needs, in an order that a loop may take."""
    return {
        release(layer, place): [release(layer - 1, before) for before in range(width)]
        if layer
        else []
        for layer in range(layers)
        for place in range(width)
    }


def charts(folder: Path, context: str, width: int = WIDTH) -> Path:
    """A repository with the releases of M, for envctl and for helmfile; returns the folder.

    With a ``width`` of 1 it is the longest chain of ``needs`` alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "web", ignore_errors=True)
    subprocess.run(
        [tool("helm"), "create", "web"],
        cwd=folder, env=clean_environment(), check=True, capture_output=True,
    )  # fmt: skip
    values = folder / "web" / "values.yaml"
    values.write_text(values.read_text().replace(_PROBE, f"{_PROBE}  periodSeconds: 1\n"))
    needs = releases(width=width)
    components = [
        {"name": name, "needs": before, "helm": {"chart": "web"}} for name, before in needs.items()
    ]
    write_envctl(folder, context, components)
    return folder


def helmfile(folder: Path, namespace: str) -> Path:
    """The same releases as a helmfile.yaml."""
    found = [
        {
            "name": name, "namespace": namespace, "chart": "./web",
            "needs": [f"{namespace}/{other}" for other in before],
        }
        for name, before in releases().items()
    ]  # fmt: skip
    defaults = {"wait": True, "timeout": 600, "createNamespace": False}
    path = folder / f"{namespace}.helmfile.yaml"
    path.write_text(yaml.safe_dump({"helmDefaults": defaults, "releases": found}))
    return path


def loop(helm: str, namespace: str, *options: str) -> list[str]:
    """A shell loop of ``helm upgrade --install``, as pipelines have it."""
    lines = [
        " ".join([helm, "upgrade", "--install", name, "./web", "-n", namespace, *options])
        for name in releases()
    ]
    return ["sh", "-ec", "\n".join(lines)]


def write_envctl(folder: Path, context: str, components: Sequence[Object]) -> None:
    """The envctl.yaml of some components."""
    lines = [f"  - {json.dumps(component)}\n" for component in components]
    head = _HEAD % {"project": PROJECT, "context": context}
    (folder / "envctl.yaml").write_text(head + "".join(lines))
