"""Row D: how long after the last object became Ready the command that waited for it ends.

The pod of a Deployment is held back by a readiness gate of the harness's own. It opens it at a
random moment, so that whoever polls is met anywhere in their period, and sees on a watch of its own
when the Deployment became available: the moment from which every command is timed.
"""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.bench import api, floors, workloads
from tests.bench.lab import Place, namespace
from tests.bench.line import OURS, Floor, Goal, Line
from tests.bench.measure import Figure, Ran
from tests.cluster.node import tool
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.api import Api
    from tests.bench.lab import Lab

GATE = "bench.envctl.dev/go"
#: What must be on record, in this order, before the process may end.
_WRITES = 3
_MERGE = "application/strategic-merge-patch+json"


@dataclass
class Gate:
    """Opens the pod's gate and notes when the Deployment was seen to be available."""

    api: Api
    space: str
    after: float
    seen: float = 0.0
    _ready: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        """Wait for the pod to run, then for ``after`` seconds more, then let it be Ready."""
        pod = until(self._running)
        deployments = f"/apis/apps/v1/namespaces/{self.space}/deployments"
        with self.api.following(deployments, self._look):
            time.sleep(self.after)
            go = {"status": {"conditions": [{"type": GATE, "status": "True"}]}}
            path = f"/api/v1/namespaces/{self.space}/pods/{pod}/status"
            self.api.call("PATCH", path, go, _MERGE)
            assert self._ready.wait(60), "the pod's gate is open, and it is not ready"

    def _running(self) -> str:
        pods = self.api.call("GET", f"/api/v1/namespaces/{self.space}/pods") or {"items": []}
        for pod in pods["items"]:
            for condition in pod["status"].get("conditions") or []:
                if (condition["type"], condition["status"]) == ("ContainersReady", "True"):
                    return str(pod["metadata"]["name"])
        return ""

    def _look(self, _: str, found: dict[str, Any], now: float) -> None:
        if (found.get("status") or {}).get("availableReplicas") and not self.seen:
            self.seen = now
            self._ready.set()


def ready(lab: Lab) -> Iterator[Line]:
    """D: S, beside what waits in helm and kubectl."""
    node = lab.real()
    objects = [workloads.config_map("s"), workloads.service("s"), workloads.deployment("s", GATE)]
    place = Place(
        node, workloads.manifests(lab.place(), node.context, objects), node.kubeconfig
    )  # fmt: skip
    _chart(place.folder / "s", objects)
    # A p99 asks for many; a single round is a trial.
    samples = 4 if lab.rounds == 1 else 5 * lab.rounds
    delays = random.Random(1)
    values: dict[str, list[float]] = {name: [] for name in _WAITERS}
    with api.opened(node.kubeconfig) as connection:
        for _ in range(samples):
            for name, command in _WAITERS.items():
                delay = delays.uniform(0.2, 1.2)
                values[name].append(_sample(lab, place, connection, command, delay))
        written = floors.write(connection) * 1000
    figures = {name: Figure.of(found) for name, found in values.items()}
    p99 = {name: _quantile(found) for name, found in values.items()}
    others = [name for name in figures if name != OURS]
    yield Line(
        "D", "0 ms", "ms", figures,
        {name: figures[name].median / figures[OURS].median for name in others},
        (Goal("p99", 15, p99[OURS], unit=" ms"),),
        Floor(written * _WRITES, f"{_WRITES} writes of {written:.1f} ms, one after the other: that "
              "the component is deployed, that the environment is ready, that the lock is free; "
              "`kubectl` writes nothing, `helm` one of them"),
        notes="p99: " + ", ".join(f"{name} {value:.0f} ms" for name, value in p99.items())
        + f", of {samples} each",
        idea="the three writes are the floor; one of them goes if the phase is kept beside the "
        "record of the components.",
    )  # fmt: skip


def _sample(
    lab: Lab, place: Place, connection: Api, command: Callable[[Place, str], Ran], delay: float
) -> float:
    """Milliseconds from Ready to the process's end."""
    name = lab.fresh()
    gate = Gate(connection, namespace(name), delay)
    opening = threading.Thread(target=gate.open, daemon=True)
    opening.start()
    ran = command(place, name)
    opening.join(60)
    connection.call("DELETE", f"/api/v1/namespaces/{gate.space}")
    assert gate.seen, "the command has ended before the Deployment was seen to be available"
    return (ran.ended - gate.seen) * 1000


def _quantile(values: list[float], part: float = 0.99) -> float:
    """The smallest of the values that so large a part of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def _chart(folder: Path, objects: list[dict[str, Any]]) -> None:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: s\nversion: 0.1.0\n")
    text = "".join(f"---\n{json.dumps(found, indent=1)}\n" for found in objects)
    (folder / "templates" / "all.yaml").write_text(text)


def _helm(name: str) -> Callable[[Place, str], Ran]:
    def command(place: Place, environment: str) -> Ran:
        return place.tool(
            name, "install", "s", "./s", "-n", namespace(environment), "--create-namespace",
            "--wait",
        )  # fmt: skip

    return command


def _kubectl(*waits: str) -> Callable[[Place, str], Ran]:
    def command(place: Place, environment: str) -> Ran:
        space, kubectl = namespace(environment), tool("kubectl")
        return place.shell(
            f"{kubectl} create namespace {space}",
            f"{kubectl} apply -n {space} -f all.yaml",
            f"exec {kubectl} -n {space} {' '.join(waits)}",
        )

    return command


_WAITERS: dict[str, Callable[[Place, str], Ran]] = {
    OURS: lambda place, name: place.up(name),
    "helm --wait": _helm("helm"),
    "helm 3 --wait": _helm("helm3"),
    "kubectl wait": _kubectl("wait", "deployment/s", "--for=condition=Available"),
    "kubectl rollout status": _kubectl("rollout", "status", "deployment/s"),
}
