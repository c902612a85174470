"""Rows A and F: what a run costs when nothing, or next to nothing, has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.bench import floors, opponents, trace, workloads
from tests.bench.lab import Place, at
from tests.bench.line import Floor, Goal, Line
from tests.bench.measure import Ran, paired, run
from tests.cluster.node import tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.lab import Lab

DISTANCES = (0, 20)
_IDEA = (
    "most of it is Python's start (`python -X importtime`): aiohttp, jsonschema, typer, and "
    "some 120 dataclasses that are made as their modules are imported. Records made in C and "
    "a schema that is checked without a library would halve it. At a distance each connection "
    "more costs three round trips: read over those that are open, and while the lock is being "
    "taken."
)
_THEIRS = "bench-theirs"


def nothing_changed(lab: Lab) -> Iterator[Line]:
    """A: ``up`` of M again, beside ``helmfile apply`` and a loop of ``helm upgrade --install``."""
    node = lab.real()
    folder = workloads.charts(lab.place(), node.context)
    file, name = workloads.helmfile(folder, _THEIRS), lab.fresh()
    near = Place(node, folder, node.kubeconfig)
    near.up(name)
    near.kubectl.run("create", "namespace", _THEIRS)
    near.shell(*workloads.loop(tool("helm"), _THEIRS)[2:])
    plugins = opponents.plugins(folder)
    start = floors.python()
    for distance in DISTANCES:
        with at(lab, node, folder, distance) as place:
            yield _again(lab, place, name, file, plugins, distance, start)
    near.down(name)
    near.kubectl.run("delete", "namespace", _THEIRS, timeout=600)


def _again(
    lab: Lab, place: Place, name: str, file: Path, plugins: dict[str, str], distance: int,
    start: float,
) -> Line:  # fmt: skip
    command = opponents.helmfile_command("apply", file)
    found = paired(
        lab.rounds,
        {
            "envctl": lambda _: unchanged(place.up(name)),
            "helmfile apply": lambda _: _nothing_updated(
                run(command, kubeconfig=place.kubeconfig, cwd=place.folder, env=plugins)
            ),
            "helm upgrade loop": lambda _: place.shell(*workloads.loop(tool("helm"), _THEIRS)[2:]),
        },
    )
    ratios = {other: found.ratio(other) for other in ("helmfile apply", "helm upgrade loop")}
    goals = [Goal("API requests", 12, requests_of(found.runs["envctl"][-1]), unit="")]
    if distance in (0, 20):
        times = 2 if distance else 1
        goals.append(Goal("the loop", 20 * times, ratios["helm upgrade loop"], most=False))
        goals.append(Goal("helmfile", 10 * times, ratios["helmfile apply"], most=False))
    return Line(
        "A", f"{distance} ms", "s", {who: found.figure(who) for who in found.values}, ratios,
        tuple(goals), floor(start, distance), explained(place, name),
        idea=_IDEA,
        notes="helm-diff is not to be had from a registry: helmfile asks a script that makes its "
        "two calls, and no more.",
    )  # fmt: skip


def _nothing_updated(ran: Ran) -> Ran:
    assert "UPDATED RELEASES" not in ran.stdout + ran.stderr, ran.stdout
    return ran


def one_changed(lab: Lab) -> Iterator[Line]:
    """F: one of the 300 objects of L changed, beside ``kubectl apply`` and ``kubectl diff``."""
    node = lab.fake()
    folder, theirs = lab.place(), lab.place()
    name = lab.fresh()
    near = Place(
        node, workloads.manifests(folder, node.context, workloads.large()), node.kubeconfig
    )
    near.up(name)
    workloads.manifests(theirs, node.context, workloads.large())
    near.kubectl.run("create", "namespace", _THEIRS)
    Place(node, theirs, node.kubeconfig).tool("kubectl", "apply", "-n", _THEIRS, "-f", "all.yaml")
    start = floors.python()
    for distance in DISTANCES:
        with at(lab, node, folder, distance) as place, at(lab, node, theirs, distance) as other:
            yield _changed(lab, place, other, name, distance, start)
    near.down(name)
    near.kubectl.run("delete", "namespace", _THEIRS)


def _changed(
    lab: Lab, place: Place, other: Place, name: str, distance: int, start: float
) -> Line:  # fmt: skip
    def change(of: Place, note: str) -> None:
        workloads.manifests(of.folder, of.node.context, workloads.large(note))

    def ours(number: int) -> Ran:
        change(place, f"{distance}-{number}")
        return place.up(name)

    def diff(number: int) -> Ran:
        change(other, f"{distance}-{number}-diff")
        command = [tool("kubectl"), "diff", "-n", _THEIRS, "-f", "all.yaml"]
        return run(command, kubeconfig=other.kubeconfig, cwd=other.folder, codes=(1,))

    def apply(number: int) -> Ran:
        change(other, f"{distance}-{number}")
        return other.tool("kubectl", "apply", "-n", _THEIRS, "-f", "all.yaml")

    found = paired(lab.rounds, {"envctl": ours, "kubectl diff": diff, "kubectl apply": apply})
    ratios = {who: found.ratio(who) for who in ("kubectl apply", "kubectl diff")}
    goals = (
        tuple(Goal(who, 10, ratio, most=False) for who, ratio in ratios.items())
        if distance == 20
        else ()
    )
    change(place, f"{distance}-last")
    return Line(
        "F", f"{distance} ms", "s", {who: found.figure(who) for who in found.values}, ratios,
        goals, floor(start, distance, 1), explained(place, name), idea=_IDEA,
    )  # fmt: skip


def floor(start: float, distance: int, more: int = 0) -> Floor:
    """Python's start, and the round trips that a run under a lock cannot do without."""
    number = floors.CONNECT + floors.LEAST + more
    return Floor(
        start + floors.trips(number, distance),
        f"bare Python {start:.3f} s, {number} round trips of {distance} ms",
    )


def unchanged(ran: Ran) -> Ran:
    """The run, which must have had nothing to do."""
    result = result_of(ran)
    assert result["result"] == "unchanged", result
    return ran


def result_of(ran: Ran) -> dict[str, Any]:
    """The document of a run."""
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def requests_of(ran: Ran) -> int:
    """What envctl itself counted."""
    return int(result_of(ran)["apiRequests"])


def explained(place: Place, name: str) -> str:
    """One run more, with a trace: where its time goes."""
    file = place.folder / "trace.json"
    ran = place.up(name, "--trace", str(file))
    return trace.told(file, ran)
