"""Rows G and H: ``list`` and ``gc`` where there are thousands of environments."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.bench import api as apis
from tests.bench import floors, many
from tests.bench.lab import Place, say
from tests.bench.line import OURS, Floor, Goal, Line
from tests.bench.measure import Figure, Paired, Ran, paired
from tests.cluster.node import tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.api import Api
    from tests.bench.lab import Lab

#: Of so many environments one is expired, in row H.
SHARE = 10
_LIST = "/api/v1/namespaces?labelSelector=app.kubernetes.io/managed-by=envctl"
_LOOP, _ALONE = "kubectl delete ns loop", "deletes alone"


@contextlib.contextmanager
def populated(lab: Lab, fill: int = 0) -> Iterator[tuple[Place, Api, dict[str, Any]]]:
    """A control plane with as many environments as the lab says; the release that is in each."""
    node = lab.fake()
    place = Place(node, lab.place(), node.kubeconfig)
    with apis.opened(node.kubeconfig) as api:
        release = many.prepare(api, node, place.folder)
        there = len(api.call("GET", _LIST)["items"])
        many.write(api, many.names(max(0, there - 1), lab.scale), release, fill=fill)
        yield place, api, release


def listing(lab: Lab) -> Iterator[Line]:
    """G: ``list``, beside ``helm list -A`` and ``kubectl get ns``."""
    with populated(lab) as (place, _, _):
        found = paired(
            lab.rounds,
            {
                OURS: lambda _: _listed(place, lab.scale),
                "kubectl get ns": lambda _: place.tool("kubectl", "get", "namespaces"),
                "helm list -A": lambda _: place.tool("helm", "list", "-A"),
            },
        )
        raw = place.tool("kubectl", "get", "--raw", _LIST).wall
    start = floors.python()
    yield Line(
        "G", f"{lab.scale:,} environments", "s",
        {who: found.figure(who) for who in found.values},
        {who: found.ratio(who) for who in ("kubectl get ns", "helm list -A")},
        (
            Goal("of `kubectl get ns`", 1.5, 1 / found.ratio("kubectl get ns")),
            Goal("memory", 120, found.figure(OURS).rss, unit=" MiB"),
        ),
        Floor(start + raw, f"bare Python {start:.3f} s, and `kubectl get --raw` of the same list, "
              "which only copies it"),
        notes="`helm list -A` shows 256 releases at most, and reads all of them.",
    )  # fmt: skip


def _listed(place: Place, number: int) -> Ran:
    ran = place.envctl("list", "--context", place.node.context, "-o", "json")
    assert len(json.loads(ran.stdout)["environments"]) == number
    return ran


@dataclass
class Going:
    """What a watch saw of the namespaces that were to go: when each was deleted, when gone."""

    wanted: set[str]
    deleted: dict[str, float] = field(default_factory=dict)
    gone: dict[str, float] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)

    def take(self, kind: str, found: dict[str, Any], now: float) -> None:
        """One change."""
        name = found["metadata"]["name"]
        if name not in self.wanted:
            return
        if found["metadata"].get("deletionTimestamp"):
            self.deleted.setdefault(name, now)
        if kind == "DELETED":
            self.gone[name] = now
            if len(self.gone) == len(self.wanted):
                self.done.set()


@dataclass(frozen=True)
class Swept:
    """One sweep: seconds until the last delete was seen, from the first to the last gone."""

    issued: float
    drained: float
    ran: Ran | None


def collection(lab: Lab) -> Iterator[Line]:
    """H: ``gc`` of a tenth, beside a shell loop, and beside the deletes alone."""
    swept: dict[str, list[Swept]] = {OURS: [], _LOOP: [], _ALONE: []}
    with populated(lab) as (place, api, release):
        for number in range(lab.rounds):
            for who, act in ((OURS, _gc), (_LOOP, _shell), (_ALONE, _bare)):
                names = many.names(0, max(1, lab.scale // SHARE), f"{who[0]}{number}-")
                many.write(api, names, release, expired=True)
                swept[who].append(_sweep(place, api, names, act))
                say(f"H: {who}: {swept[who][-1].issued:.1f} s, {swept[who][-1].drained:.1f} s")
    yield _line(lab, swept)


Act = Callable[[Place, "Api", "Sequence[str]"], "Ran | None"]


def _sweep(place: Place, api: Api, names: Sequence[str], act: Act) -> Swept:
    going = Going({many.space(name) for name in names})
    with api.following("/api/v1/namespaces", going.take):
        began = time.monotonic()
        ran = act(place, api, names)
        assert going.done.wait(3600), "not all of the namespaces are gone"
    first, last = min(going.deleted.values()), max(going.deleted.values())
    return Swept(last - began, max(going.gone.values()) - first, ran)


def _gc(place: Place, _: Api, names: Sequence[str]) -> Ran:
    ran = place.envctl(
        "gc", "--project", many.PROJECT, "--context", place.node.context, "--yes-really",
        "--timeout", "50m", "-o", "json",
    )  # fmt: skip
    assert len(json.loads(ran.stdout)["deleted"]) == len(names)
    return ran


def _shell(place: Place, _: Api, names: Sequence[str]) -> Ran:
    """As a scheduled job would: what to delete is known, and each is deleted by itself."""
    kubectl = tool("kubectl")
    spaces = " ".join(map(many.space, names))
    return place.shell(
        f"for space in {spaces}; do {kubectl} delete namespace $space --wait=false; done"
    )


def _bare(_: Place, api: Api, names: Sequence[str]) -> None:
    api.all(("DELETE", f"/api/v1/namespaces/{many.space(name)}", None) for name in names)


def _line(lab: Lab, swept: dict[str, list[Swept]]) -> Line:
    runs = {who: [one.ran for one in found if one.ran] for who, found in swept.items()}
    issued = Paired({who: [one.issued for one in f] for who, f in swept.items()}, runs)
    drained = Paired({who: [one.drained for one in f] for who, f in swept.items()}, runs)
    figures = {who: issued.figure(who) for who in swept}
    figures |= {f"{who}, drained": Figure.of(drained.values[who]) for who in swept}
    alone = figures[f"{_ALONE}, drained"].median
    return Line(
        "H", f"{max(1, lab.scale // SHARE):,} expired among {lab.scale:,}", "s", figures,
        {_LOOP: issued.ratio(_LOOP)},
        (
            Goal("all deletes issued", 3, figures[OURS].median, unit=" s"),
            Goal("drained, of the controller's own rate", 1.1, 1 / drained.ratio(_ALONE)),
            Goal("memory", 150, figures[OURS].rss, unit=" MiB"),
        ),
        Floor(figures[_ALONE].median, "a client that sends the deletes and does nothing else: "
              f"the namespace controller then takes {alone:.1f} s"),
        notes="Seconds until the last delete is seen on a watch; `drained` from the first delete "
        "to the last namespace gone.",
    )  # fmt: skip
