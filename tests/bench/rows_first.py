"""Rows B and C: the first ``up`` in a cold namespace, until everything is Ready."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from tests.bench import api, floors, opponents, trace, workloads
from tests.bench.lab import Place, at, namespace
from tests.bench.line import Floor, Goal, Line, number
from tests.bench.measure import paired, patient
from tests.bench.rows_same import DISTANCES
from tests.cluster.node import tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.api import Api
    from tests.bench.lab import Lab
    from tests.bench.measure import Ran
    from tests.cluster.node import Node

#: Round trips of a first ``up`` that need each other: the connection, the look, the lock, the
#: namespace, the objects, the lock once more; what is watched comes by itself.
TRIPS = floors.CONNECT + 5


def releases(lab: Lab) -> Iterator[Line]:
    """B: M, beside ``helmfile sync`` and beside its own longest chain alone."""
    node = lab.real()
    folder = workloads.charts(lab.place(), node.context)
    chain = workloads.charts(lab.place(), node.context, width=1)
    place, alone = (Place(node, where, node.kubeconfig) for where in (folder, chain))
    found = paired(
        lab.rounds,
        {
            "envctl": lambda _: _fresh(lab, place),
            "helmfile sync": lambda _: _synced(lab, place),
            "envctl, one chain": lambda _: _fresh(lab, alone),
        },
    )
    ratio = found.ratio("helmfile sync")
    longest = 1 / found.ratio("envctl, one chain")
    least = statistics.median(_least(lab, node, chain) for _ in range(lab.rounds))
    yield Line(
        "B", "0 ms", "s", {who: found.figure(who) for who in found.values},
        {"helmfile sync": ratio},
        (
            Goal("helmfile sync", 1.5, ratio, most=False),
            Goal("the longest chain alone", 1.15, longest),
        ),
        Floor(least, "five releases one after the other, each a run of Helm that waits for "
              "nothing and then the start of its pod, with nothing beside them"),
        _why(lab, place),
        idea="20 runs of `helm template`, 20 of `helm upgrade` and the start of 20 pods share "
        "these processors, which the longest chain alone need not share. Each chart once "
        "instead of once a release, and in one process (Helm's SDK), would spare half of "
        "Helm's.",
    )  # fmt: skip


def _fresh(lab: Lab, place: Place, *options: str) -> Ran:
    name = lab.fresh()
    ran = place.up(name, *options)
    _clean(place.node, name)
    return ran


def _clean(node: Node, name: str) -> None:
    """Take an environment away, so that the next one has the machine to itself."""
    Place(node, node.kubeconfig.parent, node.kubeconfig).down(name)


def _why(lab: Lab, place: Place) -> str:
    file = place.folder / "trace.json"
    ran = patient(lambda: _fresh(lab, place, "--trace", str(file)))
    return trace.told(file, ran)


def _synced(lab: Lab, place: Place) -> Ran:
    space = namespace(lab.fresh())
    file = workloads.helmfile(place.folder, space)
    command = " ".join(opponents.helmfile_command("sync", file))
    ran = place.shell(f"{tool('kubectl')} create namespace {space}", command)
    drop(place, space)
    return ran


def drop(place: Place, space: str) -> None:
    """Delete a namespace that is not envctl's, its pods at once, and wait until it is gone."""
    kubectl = place.kubectl
    kubectl.run("delete", "deployments", "--all", "-n", space)
    kubectl.run("delete", "pods", "--all", "-n", space, "--grace-period=1", "--wait=false")
    kubectl.run("delete", "namespace", space, timeout=600)


def _least(lab: Lab, node: Node, folder: Path) -> float:
    """Seconds of the longest chain for a tool that knows at once what is Ready."""
    space = namespace(lab.fresh())
    place = Place(node, folder, node.kubeconfig)
    place.tool("kubectl", "create", "namespace", space)
    helm, took = tool("helm"), 0.0
    with api.opened(node.kubeconfig) as connection:
        for name in workloads.releases(width=1):
            took += place.tool(helm, "install", name, "./web", "-n", space).wall
            began = time.monotonic()
            connection.do(_available(connection, space, f"{name}-web"))
            took += time.monotonic() - began
    drop(place, space)
    return took


async def _available(connection: Api, space: str, name: str) -> None:
    path = f"/apis/apps/v1/namespaces/{space}/deployments"
    async for _, found in connection.watched(path):
        ready = (found.get("status") or {}).get("availableReplicas")
        if found["metadata"]["name"] == name and ready:
            return


def objects(lab: Lab) -> Iterator[Line]:
    """C: L, beside ``kubectl apply --server-side`` and ``kubectl wait``."""
    node = lab.fake()
    folder = workloads.manifests(lab.place(), node.context, workloads.large())
    start = floors.python()
    with api.opened(node.kubeconfig) as connection:
        served = statistics.median(
            _bare(connection, Place(node, folder, node.kubeconfig), namespace(lab.fresh()))
            for _ in range(lab.rounds)
        )
    for distance in DISTANCES:
        with at(lab, node, folder, distance) as place:
            yield _objects(lab, place, distance, start, served)


def _objects(lab: Lab, place: Place, distance: int, start: float, served: float) -> Line:
    other = "kubectl apply + wait"
    found = paired(
        lab.rounds,
        {"envctl": lambda _: _fresh(lab, place), other: lambda _: _applied(lab, place)},
    )
    ratio = found.ratio(other)
    floor = Floor(
        start + served + floors.trips(TRIPS, distance),
        f"bare Python {start:.3f} s, the server's own {served:.2f} s for a client that sends "
        f"everything at once, {TRIPS} round trips of {distance} ms",
    )
    return Line(
        "C", f"{distance} ms", "s", {who: found.figure(who) for who in found.values},
        {other: ratio}, (Goal("kubectl", 8, ratio, most=False),) if distance == 20 else (),
        floor, _why(lab, place),
        idea="the server, which runs on the same processors, needs the floor for anybody; no more "
        f"than {number(found.figure(other).median / floor.value)}× can be reached here. What is "
        "left is a request for each object and the parsing of what the watches tell.",
    )  # fmt: skip


def _bare(connection: Api, place: Place, space: str) -> float:
    took = floors.bare(connection, space, workloads.large())
    place.kubectl.run("delete", "namespace", space, timeout=600)
    return took


def _applied(lab: Lab, place: Place) -> Ran:
    space, kubectl = namespace(lab.fresh()), tool("kubectl")
    ran = place.shell(
        f"{kubectl} create namespace {space}",
        f"{kubectl} apply --server-side -n {space} -f all.yaml",
        f"{kubectl} wait deployment --all -n {space} --for=condition=Available --timeout=600s",
    )
    place.kubectl.run("delete", "namespace", space, timeout=600)
    return ran
