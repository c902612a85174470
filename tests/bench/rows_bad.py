"""Bad cases: a slow or throttling server, and what is large. Each must be right, in bounded memory.

Nothing is compared: the question is whether ``up`` and ``down`` still do what they say.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.bench import workloads
from tests.bench.lab import Place, at, namespace
from tests.bench.line import OURS, Goal, Line
from tests.bench.measure import Figure, Ran
from tests.bench.rows_same import result_of
from tests.faults.proxy import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aiohttp import web

    from tests.bench.lab import Lab
    from tests.faults.proxy import Exchange

#: MiB that a run may take, whatever it is given: what a small CI container has to spare.
MOST = 256
#: A throttling server refuses so many of all requests, as one in so many.
_REFUSED = 3
#: Seconds that a write takes longer on a slow disk.
_WRITE = 0.5


def bad(lab: Lab) -> Iterator[Line]:
    """X: one case after the other."""
    node = lab.fake()
    place = Place(node, lab.place(), node.kubeconfig)
    yield _line("far: 300 ms, S", *_far(lab, place))
    yield _line(f"throttled: every {_REFUSED}rd request 429, S", *_throttled(lab, place))
    yield _line(f"a slow disk: every write takes {_WRITE:g} s more, S", *_slow_disk(lab, place))
    for condition, write in _LARGE.items():
        write(place)
        yield _line(condition, *_life(lab, place))
    yield _refused(lab, place)


def _line(condition: str, up: Ran, down: Ran) -> Line:
    most = max(up.rss, down.rss)
    figures = {OURS: Figure.of([up.wall], [up]), "envctl down": Figure.of([down.wall], [down])}
    return Line("X", condition, "s", figures, goals=(Goal("memory", MOST, most, unit=" MiB"),))


def _life(lab: Lab, place: Place) -> tuple[Ran, Ran]:
    """Up, up again with nothing to do, and down, with nothing left."""
    name = lab.fresh()
    up = place.up(name)
    assert result_of(up)["result"] == "succeeded", up.stdout
    wanted = _count(place.folder)
    there = _there(place, name)
    assert there >= wanted, f"{there} objects are there, and {wanted} in the source"
    assert result_of(place.up(name))["result"] == "unchanged"
    down = place.down(name)
    assert result_of(down)["result"] == "gone", down.stdout
    assert not place.kubectl.exists("namespace", namespace(name))
    return up, down


def _count(folder: Path) -> int:
    source = folder / "all.yaml"
    if not source.exists():
        source = folder / "large" / "templates" / "all.yaml"
    return source.read_text().count("---\n")


def _there(place: Place, name: str) -> int:
    kinds = "configmaps,secrets,services,deployments"
    return len(place.kubectl.items(kinds, "-n", namespace(name)))


def _far(lab: Lab, place: Place) -> tuple[Ran, Ran]:
    workloads.manifests(place.folder, place.node.context, workloads.small())
    with at(lab, place.node, place.folder, 300) as far:
        return _life(lab, far)


def _throttled(lab: Lab, place: Place) -> tuple[Ran, Ran]:
    workloads.manifests(place.folder, place.node.context, workloads.small())

    async def handle(exchange: Exchange) -> web.StreamResponse:
        if exchange.ordinal % _REFUSED == 0:
            message = "the server has received too many requests"
            return exchange.answer(429, "TooManyRequests", message, {"Retry-After": "1"})
        return await exchange.pass_on()

    with in_thread(place.node.kubeconfig, place.folder / "proxy", handle) as proxy:
        return _life(lab, replace(place, kubeconfig=proxy.kubeconfig))


def _slow_disk(lab: Lab, place: Place) -> tuple[Ran, Ran]:
    """What etcd's slow disk is to a client: reads come from memory, and each write takes long."""
    workloads.manifests(place.folder, place.node.context, workloads.small())

    async def handle(exchange: Exchange) -> web.StreamResponse:
        if exchange.writes:
            await asyncio.sleep(_WRITE)
        return await exchange.pass_on()

    with in_thread(place.node.kubeconfig, place.folder / "proxy", handle) as proxy:
        return _life(lab, replace(place, kubeconfig=proxy.kubeconfig))


def _thousand(place: Place) -> None:
    objects = [workloads.config_map(f"m-{number}") for number in range(1000)]
    workloads.manifests(place.folder, place.node.context, objects)


def _secret(place: Place, size: int = 1_000_000) -> None:
    data = {"blob": base64.b64encode(b"x" * size).decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "large"}, "data": data}
    workloads.manifests(place.folder, place.node.context, [secret])


def _chart(place: Place) -> None:
    """What renders to 2 MB: 40 ConfigMaps of 50 kB."""
    (place.folder / "all.yaml").unlink()
    chart = place.folder / "large"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: large\nversion: 0.1.0\n")
    objects = [workloads.config_map(f"m-{number}", size=50_000) for number in range(40)]
    text = "".join(f"---\n{json.dumps(found, indent=1)}\n" for found in objects)
    (chart / "templates" / "all.yaml").write_text(text)
    component: dict[str, Any] = {"name": "large", "helm": {"chart": "large"}}
    workloads.write_envctl(place.folder, place.node.context, [component])


_LARGE: dict[str, Callable[[Place], None]] = {
    "a component of 1,000 objects": _thousand,
    "a Secret of 1 MB": _secret,
    "a chart that renders to 2 MB": _chart,
}


def _refused(lab: Lab, place: Place) -> Line:
    """What no API server takes is said to be so, and leaves nothing half done."""
    name = lab.fresh()
    _secret(place, 1_100_000)
    up = place.envctl("up", "--name", name, "-o", "json", codes=(1, 2))
    said = json.loads(up.stdout)
    words = json.dumps(said)
    assert "Secret/large" in words, words
    down = place.down(name)
    verdict = (said.get("failure") or {}).get("verdict", "")
    line = _line("a Secret that the API server refuses, 1.1 MB", up, down)
    return replace(line, notes=f"exit code {up.code}; said: {verdict}")
