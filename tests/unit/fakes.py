"""A cluster in memory.

Only what the workflows rely on: resource versions, UIDs and their preconditions, owners of fields,
watches, finalizers, namespaces that take their content along. The real node is in tests/cluster.
"""
# ruff: noqa: ARG002 - the port's arguments, used or not

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.model.objects import NAMESPACE, WELL_KNOWN, Obj, Resource
from envctl.ports.cluster import (
    AlreadyExists,
    Change,
    Conflict,
    FieldConflict,
    NotFound,
    UnknownKind,
)
from tests.unit.apply import at, fields, leaves, merged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime


def nothing(verb: str, what: str) -> None:
    """What happens beside a call unless a test says otherwise."""
    del verb, what


Key = tuple[str, str, str, str]
#: When everything was created of which a test does not say it.
BEGINNING = "2026-01-01T00:00:00Z"


def _selected(labels: dict[str, str], key: str, sign: str, value: str) -> bool:
    return labels.get(key) == value if sign else key in labels


@dataclass
class FakeCluster:
    """See ``envctl.ports.cluster.Cluster``; ``before`` may look at each call, or refuse it."""

    context: str = "fake"
    requests: int = 0
    store: dict[Key, Obj] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[str, str], None] = nothing
    after: Callable[[str, str], None] = nothing
    kinds: dict[tuple[str, str], Resource] = field(default_factory=dict)
    time: Callable[[], datetime | None] = lambda: None
    _version: int = 0
    _queues: list[tuple[Key, asyncio.Queue[Change]]] = field(default_factory=list)

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [c for c in self.calls if c[0] not in ("get", "list", "watch")]

    def server_time(self) -> datetime | None:
        return self.time()

    def state(self) -> dict[Key, Obj]:
        """What there is, without what differs from run to run."""
        found = {}
        for key, obj in self.store.items():
            clean = copy.deepcopy(obj)
            for name in ("uid", "resourceVersion", "managedFields", "creationTimestamp"):
                clean["metadata"].pop(name, None)
            found[key] = clean
        return found

    async def _call(self, verb: str, resource: Resource, name: str) -> None:
        what = f"{resource.kind}/{name}"
        await asyncio.sleep(0)
        self.before(verb, what)
        self.requests += 1
        self.calls.append((verb, what))

    def _key(self, resource: Resource, name: str, namespace: str) -> Key:
        return resource.group, resource.kind, namespace if resource.namespaced else "", name

    def put(self, resource: Resource, obj: Obj, manager: str = "envctl") -> Obj:
        """Store an object as the server would, without being a request."""
        meta = obj["metadata"]
        key = self._key(resource, meta["name"], meta.get("namespace", ""))
        old = self.store.get(key)
        new = {**copy.deepcopy(obj), "apiVersion": resource.api_version, "kind": resource.kind}
        self._version += 1
        new["metadata"] |= {
            "uid": old["metadata"]["uid"] if old else f"uid-{self._version}",
            "resourceVersion": str(self._version),
            "creationTimestamp": (old or new)["metadata"].get("creationTimestamp", BEGINNING),
        }
        new["metadata"].setdefault(
            "managedFields", [{"manager": manager, "operation": "Apply", "fieldsV1": fields(obj)}]
        )
        self.store[key] = new
        self._send(key, "MODIFIED" if old else "ADDED", new)
        return copy.deepcopy(new)

    def drop(self, key: Key) -> None:
        gone = self.store.pop(key)
        self._send(key, "DELETED", gone)

    def _send(self, key: Key, kind: str, obj: Obj) -> None:
        for (group, name, namespace, only), queue in self._queues:
            matches = (group, name) == key[:2] and namespace in ("", key[2])
            if matches and only in ("", key[3]):
                queue.put_nowait(Change(kind, copy.deepcopy(obj)))

    async def resource(self, api_version: str, kind: str) -> Resource:
        found = {**WELL_KNOWN, **self.kinds}.get((api_version, kind))
        if found is None:
            raise UnknownKind(f"no kind {kind!r}")
        return found

    async def namespaced_kinds(self) -> tuple[Resource, ...]:
        return tuple(r for r in {**WELL_KNOWN, **self.kinds}.values() if r.namespaced)

    async def get(self, resource: Resource, name: str, namespace: str = "") -> Obj | None:
        await self._call("get", resource, name)
        return copy.deepcopy(self.store.get(self._key(resource, name, namespace)))

    async def list(
        self, resource: Resource, namespace: str = "", *, selector: str = "",
        metadata_only: bool = False,
    ) -> list[Obj]:  # fmt: skip
        await self._call("list", resource, selector)
        wanted = [part.partition("=") for part in selector.split(",") if part]
        return [
            copy.deepcopy(obj)
            for key, obj in self.store.items()
            if key[:2] == (resource.group, resource.kind)
            and namespace in ("", key[2])
            and all(_selected(obj["metadata"].get("labels") or {}, *part) for part in wanted)
        ]

    async def create(self, resource: Resource, obj: Obj) -> Obj:
        name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace", "")
        await self._call("create", resource, name)
        if self._key(resource, name, namespace) in self.store:
            raise AlreadyExists("it exists")
        if resource.namespaced and ("", "Namespace", "", namespace) not in self.store:
            raise NotFound(f'namespaces "{namespace}" not found')
        return self._done("create", resource, self.put(resource, obj))

    def _done(self, verb: str, resource: Resource, obj: Obj) -> Obj:
        self.after(verb, f"{resource.kind}/{obj['metadata']['name']}")
        return obj

    async def replace(self, resource: Resource, obj: Obj) -> Obj:
        meta = obj["metadata"]
        await self._call("replace", resource, meta["name"])
        old = self.store.get(self._key(resource, meta["name"], meta.get("namespace", "")))
        if old is None or old["metadata"]["resourceVersion"] != meta.get("resourceVersion"):
            raise Conflict("it changed")
        return self._done("replace", resource, self.put(resource, obj))

    async def apply(
        self, resource: Resource, obj: Obj, *, force: bool = False, dry_run: bool = False,
        manager: str = "envctl",
    ) -> Obj:  # fmt: skip
        meta = obj["metadata"]
        await self._call("apply", resource, meta["name"])
        old = self.store.get(self._key(resource, meta["name"], meta.get("namespace", "")))
        if old is None:
            return self._done("apply", resource, self.put(resource, obj, manager))
        entries = old["metadata"]["managedFields"]
        mine = next((e["fieldsV1"] for e in entries if e["manager"] == manager), {})
        others = [e for e in entries if e["manager"] != manager]
        taken = [
            FieldConflict(e["manager"], ".".join(path))
            for e in others
            for path in leaves(e["fieldsV1"])
            if path in leaves(fields(obj)) and at(old, path) != at(obj, path)
        ]
        if taken and not force:
            raise Conflict("conflict", managers=tuple(taken))
        new = merged(copy.deepcopy(old), obj)
        for path in leaves(mine):
            if path not in leaves(fields(obj)):
                at(new, path[:-1]).pop(path[-1], None)
        kept = [] if force else others
        new["metadata"]["managedFields"] = [
            {"manager": manager, "operation": "Apply", "fieldsV1": fields(obj)}, *kept,
        ]  # fmt: skip
        return self._done(
            "apply", resource, copy.deepcopy(old) if new == old else self.put(resource, new)
        )

    async def patch(self, resource: Resource, name: str, namespace: str, patch: Obj) -> Obj:
        await self._call("patch", resource, name)
        old = self.store.get(self._key(resource, name, namespace))
        if old is None:
            raise NotFound(f"{resource.plural} {name!r} not found")
        wanted = patch.get("metadata", {}).get("uid")
        if wanted is not None and wanted != old["metadata"]["uid"]:
            raise Conflict("another UID")
        version = patch.get("metadata", {}).get("resourceVersion")
        if version not in (None, old["metadata"]["resourceVersion"]):
            raise Conflict("it changed")
        new = self.put(resource, merged(copy.deepcopy(old), patch))
        self._collect(self._key(resource, name, namespace))
        return self._done("patch", resource, new)

    def _collect(self, key: Key) -> None:
        """What is being deleted goes with its last finalizer, a namespace with its last object."""
        meta = self.store[key]["metadata"]
        if not meta.get("deletionTimestamp") or meta.get("finalizers"):
            return
        around = ("", "Namespace", "", key[2])
        if key[1] != "Namespace":
            self.drop(key)
            left = any(k[2] == key[2] for k in self.store)
            if not left and self.store.get(around, {}).get("metadata", {}).get("deletionTimestamp"):
                self.drop(around)

    async def delete(
        self, resource: Resource, name: str, namespace: str = "", *, uid: str,
        version: str = "", grace: int | None = None,
    ) -> bool:  # fmt: skip
        await self._call("delete", resource, name)
        meta = self.store.get(key := self._key(resource, name, namespace), {}).get("metadata", {})
        if meta.get("uid") != uid or version not in ("", meta["resourceVersion"]):
            return False
        if resource == NAMESPACE:
            for inner in [k for k in self.store if k[2] == name]:
                self._remove(inner)
        self._remove(key, held=resource == NAMESPACE and any(k[2] == name for k in self.store))
        self.after("delete", f"{resource.kind}/{name}")
        return True

    def _remove(self, key: Key, *, held: bool = False) -> None:
        meta = self.store[key]["metadata"]
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        if held or meta.get("finalizers"):
            self._send(key, "MODIFIED", self.store[key])
        else:
            self.drop(key)

    async def watch(
        self, resource: Resource, namespace: str = "", name: str = "", *, since: str = ""
    ) -> AsyncIterator[Change]:
        await self._call("watch", resource, name)
        queue: asyncio.Queue[Change] = asyncio.Queue()
        entry = (self._key(resource, name, namespace), queue)
        self._queues.append(entry)
        try:
            for obj in [] if since else list(self.store.items()):
                same = obj[0][:2] == entry[0][:2] and namespace in ("", obj[0][2])
                if same and name in ("", obj[0][3]):
                    yield Change("ADDED", copy.deepcopy(obj[1]))
            while True:
                yield await queue.get()
        finally:
            self._queues.remove(entry)

    async def logs(self, *_: Any, **__: Any) -> list[str]:
        return []

    async def follow(self, *_: Any, **__: Any) -> AsyncIterator[str]:
        for line in ():
            yield line

    async def call(self, method: str, path: str, body: Obj | None = None) -> Any:
        raise NotImplementedError(path)

    async def close(self) -> None:
        pass
