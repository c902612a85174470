"""What the cluster says: objects, events, answers and errors of an API server, of any shape."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from envctl.adapters.kubernetes import discovery, streams, translate
from envctl.model import lease, managed, owners, readiness, record, urls
from envctl.model.containers import started
from envctl.model.diff import MASK, fields
from envctl.model.environment import info_of
from envctl.model.measures import message, parse
from envctl.model.members import members
from envctl.model.objects import (
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    POD,
    REPLICA_SET,
    Resource,
    key_of,
    split_api_version,
)
from envctl.model.shapes import sound
from envctl.model.status import holder_of, quota_of
from envctl.workflow import diagnose, doom, obstacles
from envctl.workflow.tracker import Tracker
from tests.fuzz import samples
from tests.fuzz.reader import Reader

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.ports.cluster import Lines


class _Cluster:
    """What a diagnosis asks for beside what was seen: of any shape, too."""

    def __init__(self, reader: Reader | None = None) -> None:
        self.reader = reader

    async def logs(self, *_: Any, **__: Any) -> Lines:
        return ["a line"]

    async def list(self, resource: Resource, *_: Any, **__: Any) -> Any:
        kinds = [obj for obj in samples.OBJECTS if obj["kind"] == resource.kind]
        return [sound(self.reader.changed(obj), resource) for obj in kinds if self.reader]

    async def get(self, resource: Resource, *_: Any, **__: Any) -> Any:
        return next(iter(await self.list(resource)), None)


def _seen(reader: Reader, sample: Obj) -> Obj:
    """``sample``, changed, as the adapter hands it on."""
    group, version = split_api_version(sample["apiVersion"])
    resource = Resource(group, version, sample["kind"].lower(), sample["kind"])
    return sound(reader.changed(sample), resource)


def readiness_rules(data: bytes) -> None:
    """Whether an object of any shape is ready is answered, with a reason in words."""
    reader = Reader(data)
    obj = _seen(reader, reader.choose(samples.OBJECTS))
    found = readiness.assess(obj)
    assert found.ready or found.reason.strip() or found.state is readiness.State.DOOMED
    readiness.awaits_conditions(obj)
    readiness.is_static(obj)
    key_of(obj)
    split_api_version(obj.get("apiVersion", ""))
    info_of(obj)
    managed.owned(obj)
    match obj["kind"]:
        case "Pod":
            started(obj)
            parse(message(obj))
        case "Ingress":
            urls.urls("http://a.localhost:80/", [obj], "http://127.0.0.1:80")
        case "ResourceQuota":
            quota_of([obj])
        case "Lease":
            holder_of(obj)


def leases(data: bytes) -> None:
    """The lock, as somebody may have written it."""
    reader = Reader(data)
    obj = _seen(reader, samples.LEASE)
    lease.holder(obj), lease.duration(obj), lease.mark(obj), lease.newest(obj)
    lease.wanted_by(obj), lease.asked_for(obj, 9), lease.environment_of(obj)


def diagnosis(data: bytes) -> None:
    """A workload, its pods and their events, all of any shape, explained."""
    reader = Reader(data)
    tracker = Tracker(_Cluster(reader), "shop-it")  # type: ignore[arg-type]
    workload = _seen(reader, samples.DEPLOYMENT)
    seen = ((REPLICA_SET, samples.REPLICA_SET), (POD, samples.POD), (EVENT, samples.EVENT),
            (EVENT, samples.EVENT), (DEPLOYMENT, samples.DEPLOYMENT))  # fmt: skip
    for resource, sample in seen:
        tracker._see(resource, reader.choose(("ADDED", "MODIFIED")), _seen(reader, sample))
    state = readiness.assess(workload)
    doom.doom(tracker, workload)
    diagnose.reason_of(tracker, workload, state)
    owners.outdated_pods(workload, tracker.of_kind(POD))
    unready = [(key_of(workload), workload, state), (key_of(samples.POD), None, state)]
    in_the_way = partial(obstacles.obstacle_of, tracker)
    failure = asyncio.run(diagnose.explain(tracker, "web", unready, "failed", in_the_way))
    assert failure.verdict
    json.dumps(failure.as_json())


def errors(data: bytes) -> None:
    """A refusal of the API server, or of a proxy before it, becomes an error in words."""
    reader = Reader(data)
    code = reader.choose((400, 401, 403, 404, 409, 410, 422, 429, 500, 503))
    body = json.dumps(reader.changed(samples.STATUS)).encode()
    if reader.below(4) == 0:
        body = reader.rest()
    headers = {"Retry-After": reader.text(), "Date": reader.text()}
    translate.date_of(headers, 1.0)
    raise translate.error_for(code, body, headers, "apply ConfigMap/a", "preview")


def watching(data: bytes) -> None:
    """One line of a watch."""
    reader = Reader(data)
    event = {"type": reader.choose(("ADDED", "ERROR", "BOOKMARK")), "object": samples.POD}
    line = json.dumps(reader.changed(event)).encode() if reader.below(4) else reader.rest()
    try:
        change = streams._change(line, POD, "preview")
    except (ValueError, RecursionError):
        return  # what `watch` takes for a connection that broke
    Tracker(_Cluster(), "a")._see(POD, change.type, change.object)  # type: ignore[arg-type]


def kinds(data: bytes) -> None:
    """What an API server says that it serves."""
    for resource in discovery._resources(Reader(data).changed(samples.DISCOVERY)):
        hash(resource)
        resource.path("a", "b")


def differences(data: bytes) -> None:
    """The difference of two objects: no value of a Secret stands in it."""
    reader = Reader(data)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque",
              "data": {"a": "Y2FuYXJ5"}, "stringData": {"b": "canary"}}  # fmt: skip
    before, after = _seen(reader, secret), _seen(reader, secret)
    for change in fields(before, after):
        if change.path.partition(".")[0].partition("[")[0] in ("data", "stringData"):
            assert {change.before, change.after} <= {MASK, None}


def records(data: bytes) -> None:
    """envctl's own record, as somebody may have written it."""
    reader = Reader(data)
    changed = reader.changed(samples.RECORD)
    texts = changed.get("data") if isinstance(changed, dict) else None
    if isinstance(texts, dict) and reader.below(2):
        texts[reader.choose(("component.web", "check.smoke"))] = reader.text()
    members(record.load(sound(changed, CONFIG_MAP)))


TARGETS = {
    "readiness": (readiness_rules, (b"", *(bytes([i, 3, 7, 2, 9, 5, 30]) for i in range(14)))),
    "diagnosis": (diagnosis, (b"", bytes(range(120)))),
    "leases": (leases, (b"", bytes(range(40)))),
    "API errors": (errors, (b"", bytes(range(40)), b"\x02\x00\x00<html>")),
    "watch events": (watching, (b"", b"\x00\x00\x00{}", bytes(range(40)))),
    "discovery": (kinds, (b"", bytes(range(40)))),
    "differences": (differences, (b"", bytes(range(60)))),
    "records": (records, (b"", bytes(range(40)))),
}
