"""The requests of every verb on S, M and L: envctl's by its life of an environment, and others'.

On fake nodes, where pods are ready by themselves: what is asked does not depend on how long they
take, but for renewals of the lock, which are left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.bench import requests, workloads
from tests.bench.lab import Place, namespace
from tests.cluster.node import tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.lab import Lab
    from tests.bench.measure import Ran
    from tests.cluster.node import Node

WORKLOADS = ("S", "M", "L")
Counts = dict[str, Counter[str]]
#: helm with a release each, kubectl with one file.
_HELM, _KUBECTL = "helm", "kubectl"
_SCRIPT = """\
#!/bin/sh
echo "$1" >>'{told}'
exec '{helm}' "$@"
"""


def repository(lab: Lab, node: Node, workload: str, note: str = "one") -> Place:
    """The workload as a repository."""
    folder = lab.place()
    if workload == "M":
        workloads.charts(folder, node.context)
    else:
        _objects(folder, node, workload, note)
    return Place(node, folder, node.kubeconfig)


def _objects(folder: Path, node: Node, workload: str, note: str) -> None:
    objects = workloads.small(note) if workload == "S" else workloads.large(note)
    workloads.manifests(folder, node.context, objects)


def envctl(lab: Lab, node: Node, workload: str) -> Counts:
    """By verb, through the life of an environment."""
    place, name = repository(lab, node, workload), lab.fresh()
    started = Started(place.folder)
    place = replace(place, env=started.env)
    # Whoever comes first in a cluster makes the namespace of the locks.
    place.kubectl.run("create", "namespace", "envctl-system")
    log = requests.Log.of(node)
    known = ("--name", name, "-o", "json")

    def change() -> Ran:
        if workload == "M":
            values = place.folder / "web" / "values.yaml"
            values.write_text(values.read_text().replace("replicaCount: 1", "replicaCount: 2"))
        else:
            _objects(place.folder, node, workload, "two")
        return place.up(name)

    verbs: dict[str, Callable[[], Ran]] = {
        "up": lambda: place.up(name),
        "up again": lambda: place.up(name),
        "plan": lambda: place.envctl("plan", *known),
        "status": lambda: place.envctl("status", *known),
        "up changed": change,
        "list": lambda: place.envctl("list", "--context", node.context, "-o", "json"),
        "down": lambda: place.down(name),
    }
    found: Counts = {}
    for verb, act in verbs.items():
        log.read()
        act()
        found[verb] = _without_renewals(requests.counted(log.read())) + started.read()
    return found


class Started:
    """The processes of Helm that envctl starts: it is given a script that writes each down."""

    def __init__(self, folder: Path) -> None:
        self._told = folder / "started"
        script = folder / "helm"
        script.write_text(_SCRIPT.format(told=self._told, helm=tool("helm")))
        script.chmod(0o755)
        self.env = {"ENVCTL_HELM": str(script)}

    def read(self) -> Counter[str]:
        """Those since the last call, by Helm's own verb."""
        lines = self._told.read_text().splitlines() if self._told.exists() else []
        self._told.unlink(missing_ok=True)
        return Counter(f"process helm {line}" for line in lines)


def _without_renewals(counts: Counter[str]) -> Counter[str]:
    return Counter({what: n for what, n in counts.items() if what != requests.RENEWALS})


def others(lab: Lab, node: Node, workload: str) -> dict[str, Counts]:
    """The same by helm in a loop for M, and by kubectl for S and L."""
    place, space = repository(lab, node, workload), namespace(lab.fresh())
    kubectl, helm = tool("kubectl"), tool("helm")
    log = requests.Log.of(node)
    place.tool("kubectl", "create", "namespace", space)
    deploy = (
        "\n".join(workloads.loop(helm, space, "--wait")[2:])
        if workload == "M"
        else f"{kubectl} apply --server-side -n {space} -f all.yaml && {kubectl} wait deployment "
        f"--all -n {space} --for=condition=Available"
    )
    removal = [f"{helm} uninstall {r} -n {space}" for r in workloads.releases()]
    remove = [*(removal if workload == "M" else []), f"{kubectl} delete namespace {space}"]
    found: Counts = {}
    for verb, lines in {"up": [deploy], "up again": [deploy], "down": remove}.items():
        log.read()
        place.shell(*lines)
        found[verb] = requests.counted(log.read())
    return {_HELM if workload == "M" else _KUBECTL: found}
