"""How verbs grow with the number of environments: seconds, memory and requests, as pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.bench import latency, many, plot, requests, workloads
from tests.bench.lab import say
from tests.bench.measure import Figure, Ran
from tests.bench.rows_many import populated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.lab import Lab, Place

#: Asked for beside the letters of the rows.
LETTER = "SCALE"
SIZES = (10, 100, 1_000, 10_000)
_FILE = "scale.json"
_MEASURES = (("seconds", "s"), ("memory", "MiB"), ("requests", "requests"), ("transferred", "kB"))
#: ConfigMaps of each environment: with its namespace, Lease and release, and the two objects that
#: the cluster adds, 15 objects, so that 10,000 environments are 150,000.
FILL = 10
_LOOKS: dict[str, Callable[[Place], Ran]] = {
    "list": lambda place: place.envctl("list", "--context", place.node.context, "-o", "json"),
    "gc": lambda place: place.envctl(
        "gc", "--project", many.PROJECT, "--context", place.node.context, "--dry-run", "-o", "json"
    ),
    "status": lambda place: place.envctl(
        "status", "--project", many.PROJECT, "--name", "e1", "--context", place.node.context,
        "-o", "json",
    ),
}  # fmt: skip


def measure(lab: Lab, folder: Path) -> None:
    """Fill the cluster step by step, and measure each verb at each size; writes the file."""
    found: dict[str, list[dict[str, Any]]] = {}
    lab.close()  # what an earlier row has left in the cluster would count
    most = lab.scale
    for size in [size for size in SIZES if size <= most]:
        lab.scale = size
        with populated(lab, FILL) as (place, _, _):
            for verb, act in {**_LOOKS, **_life(lab, place)}.items():
                log = requests.Log.of(place.node)
                runs = [act(place) for _ in range(lab.rounds)]
                asked = sum(requests.counted(log.read()).values()) / lab.rounds
                point = {"environments": size, "requests": asked, **_cost(runs)}
                point["transferred"] = _transferred(lab, place, act)
                found.setdefault(verb, []).append(point)
                say(f"{verb} with {size}: {point}")
    lab.scale = most
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FILE).write_text(json.dumps(found, indent=1) + "\n")


def _life(lab: Lab, place: Place) -> dict[str, Callable[[Place], Ran]]:
    """S made anew and taken away again, beside all the others; each ``up`` has its ``down``."""
    workloads.manifests(place.folder, place.node.context, workloads.small())
    names: list[str] = []

    def up(place: Place) -> Ran:
        names.append(lab.fresh())
        return place.up(names[-1])

    return {"up": up, "down": lambda place: place.down(names.pop())}


def _transferred(lab: Lab, place: Place, act: Callable[[Place], Ran]) -> float:
    """Kilobytes that one run more sends and receives."""
    with latency.through(place.kubeconfig, lab.folder, 0) as (kubeconfig, line):
        act(replace(place, kubeconfig=kubeconfig))
    return line.passed / 1000


def _cost(runs: list[Ran]) -> dict[str, float]:
    figure = Figure.of([ran.wall for ran in runs], runs)
    return {"seconds": figure.median, "memory": figure.rss}


def pictures(results: Path, folder: Path) -> list[str]:
    """A picture for each verb, where the file is there; their names."""
    if not (results / _FILE).exists():
        return []
    written = []
    for verb, points in json.loads((results / _FILE).read_text()).items():
        panels = [
            plot.Panel(f"{what} ({unit})" if unit != what else what,
                       [(point["environments"], point[what]) for point in points])
            for what, unit in _MEASURES
        ]  # fmt: skip
        written.append(f"scale-{verb}.svg")
        picture = plot.picture(f"envctl {verb}, by the number of environments", panels)
        (folder / written[-1]).write_text(picture)
    return written
