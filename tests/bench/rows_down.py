"""Row E: taking M away, whose pods ignore SIGTERM, as servers do that nobody taught to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import workloads
from tests.bench.lab import Place, namespace
from tests.bench.line import Floor, Goal, Line
from tests.bench.measure import paired
from tests.cluster.node import tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.lab import Lab
    from tests.bench.measure import Ran

_EMPTY = "an empty namespace"


def down(lab: Lab) -> Iterator[Line]:
    """E: beside a loop of ``helm uninstall`` that ends in ``kubectl delete namespace``."""
    node = lab.real()
    folder = workloads.charts(lab.place(), node.context)
    place = Place(node, folder, node.kubeconfig)
    loop = "helm uninstall loop"
    found = paired(
        lab.rounds,
        {
            "envctl": lambda _: _ours(lab, place),
            loop: lambda _: _theirs(lab, place),
            _EMPTY: lambda _: _empty(lab, place),
        },
    )
    empty = found.figure(_EMPTY).median
    ratio = found.ratio(loop)
    yield Line(
        "E", "0 ms", "s", {who: found.figure(who) for who in found.values}, {loop: ratio},
        (
            Goal("the loop", 5, ratio, most=False),
            Goal("an empty namespace", 1.3, 1 / found.ratio(_EMPTY)),
        ),
        Floor(empty, "`kubectl delete namespace` of an empty one: the controller's own delay"),
        idea="the namespace's controller looks when five seconds have passed; what the node has "
        "not ended by then is looked for again. A pod may be given no less than a second.",
    )  # fmt: skip


def _ours(lab: Lab, place: Place) -> Ran:
    name = lab.fresh()
    place.up(name)
    return place.down(name)


def _theirs(lab: Lab, place: Place) -> Ran:
    """Made by envctl, so that both take away the same; its records are no hindrance to helm."""
    name = lab.fresh()
    place.up(name)
    space, helm = namespace(name), tool("helm")
    removals = [f"{helm} uninstall {release} -n {space}" for release in workloads.releases()]
    return place.shell(*reversed(removals), _deletion(space))


def _empty(lab: Lab, place: Place) -> Ran:
    space = namespace(lab.fresh())
    place.tool("kubectl", "create", "namespace", space)
    return place.shell(_deletion(space))


def _deletion(space: str) -> str:
    return f"{tool('kubectl')} delete namespace {space} --wait"
