"""Row K: a cluster that serves 2,000 kinds of its own, as those with many operators do.

Discovery is what grows with them: kubectl and helm read all of it before they do anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bench import api as apis
from tests.bench import workloads
from tests.bench.lab import Place, namespace, say
from tests.bench.line import OURS, Goal, Line
from tests.bench.measure import Ran, paired, run
from tests.bench.rows_same import requests_of, unchanged
from tests.cluster.node import tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.api import Api
    from tests.bench.lab import Lab

KINDS = 2000
#: Kinds in one group.
_GROUP = 20
_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: MiB that a run may take, however much there is to discover.
_MOST = 120


def kinds(lab: Lab) -> Iterator[Line]:
    """K: ``up``, ``up`` again, ``status`` and ``down`` of S, beside kubectl on the same objects.

    kubectl as a job of CI runs it: without what an earlier run has kept of discovery.
    """
    lab.close()  # these kinds slow the server down for whatever comes after
    node = lab.fake()
    folder = workloads.manifests(lab.place(), node.context, workloads.small())
    place = Place(node, folder, node.kubeconfig)
    with apis.opened(node.kubeconfig) as api:
        _write(api)
    yield from _lines(lab, place)
    lab.close()


def _lines(lab: Lab, place: Place) -> Iterator[Line]:
    names: list[str] = []

    def first(_: int) -> Ran:
        names.append(lab.fresh())
        return place.up(names[-1])

    def applied(number: int) -> Ran:
        space = namespace(f"theirs-{number}")
        place.kubectl.run("create", "namespace", space)
        ran = run(
            [tool("kubectl"), "--cache-dir", str(lab.place()), "apply", "--server-side",
             "-n", space, "-f", "all.yaml"],
            kubeconfig=place.kubeconfig, cwd=place.folder,
        )  # fmt: skip
        place.kubectl.run("delete", "namespace", space, "--wait=false")
        return ran

    found = paired(lab.rounds, {OURS: first, "kubectl apply": applied})
    yield _line("`up`, S", found, ("kubectl apply",))
    again = paired(lab.rounds, {OURS: lambda _: unchanged(place.up(names[-1]))})
    yield _line("`up` again, S", again)
    looked = paired(
        lab.rounds, {OURS: lambda _: place.envctl("status", "--name", names[-1], "-o", "json")}
    )
    yield _line("`status`, S", looked)
    gone = paired(len(names), {OURS: lambda number: place.down(names[number])})
    yield _line("`down`, S", gone)


def _line(condition: str, found: Any, others: tuple[str, ...] = ()) -> Line:
    last = found.runs[OURS][-1]
    notes = "" if "status" in condition or "down" in condition else f"{requests_of(last)} requests"
    return Line(
        "K", f"{KINDS:,} CRDs, {condition}", "s", {who: found.figure(who) for who in found.values},
        {who: found.ratio(who) for who in others},
        (Goal("memory", _MOST, found.figure(OURS).rss, unit=" MiB"),), notes=notes,
    )  # fmt: skip


def _write(api: Api) -> None:
    say(f"writing {KINDS} kinds")
    api.all(("POST", _PATH, _kind(number)) for number in range(KINDS))
    api.do(_established(api))


async def _established(api: Api) -> None:
    """Until the server serves all of them."""
    left = {_kind(number)["metadata"]["name"] for number in range(KINDS)}
    async for _, found in api.watched(_PATH):
        conditions = (found.get("status") or {}).get("conditions") or []
        if any((c["type"], c["status"]) == ("Established", "True") for c in conditions):
            left.discard(found["metadata"]["name"])
        if not left:
            return


def _kind(number: int) -> dict[str, Any]:
    group, plural = f"g{number // _GROUP}.bench.envctl.dev", f"things{number}"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "singular": f"thing{number}", "kind": f"Thing{number}"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": f"{plural}.{group}"}, "spec": spec}
