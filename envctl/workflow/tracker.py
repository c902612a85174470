"""Sees every object of an environment as it changes, through watches that are opened once.

A component that waits subscribes to its objects and is woken by their changes; nothing polls.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict, deque
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.errors import EnvctlError, Forbidden
from envctl.model import owners
from envctl.model.objects import (
    ENDPOINT_SLICE,
    EVENT,
    POD,
    REPLICA_SET,
    SERVICE,
    Key,
    Obj,
    Resource,
    key_of,
    uid_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from envctl.ports.cluster import Cluster

#: Watched as soon as anything is awaited: they say why a workload is not ready.
EVIDENCE = (POD, REPLICA_SET, EVENT)
_EVIDENCE_KINDS = {resource.kind for resource in (*EVIDENCE, ENDPOINT_SLICE, SERVICE)}
#: Events kept; a crashing pod writes many.
MAX_EVENTS = 5000
#: Lines kept of a Job's log.
MAX_LINES = 400


@dataclass(slots=True)
class Subscription:
    """What one waiter has yet to look at. ``wake`` is set when there is something."""

    keys: set[Key]
    dirty: set[Key] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> set[Key]:
        """The keys that changed since the last call."""
        found, self.dirty = self.dirty, set()
        self.wake.clear()
        return found


def _of_mappings() -> defaultdict[Any, dict[Any, Obj]]:
    return defaultdict(dict)


@dataclass(slots=True)
class Tracker:
    """The live objects of one namespace, as far as somebody waits for their kind."""

    cluster: Cluster
    namespace: str
    objects: dict[Key, Obj] = field(default_factory=dict)
    events: dict[str, Obj] = field(default_factory=dict)
    #: The last lines that a Job's pods wrote, by its UID: they outlive the pods.
    said: dict[str, deque[str]] = field(default_factory=dict)
    denied: set[Resource] = field(default_factory=set)
    #: How often something of a kind has changed, for whoever keeps what is made of all of it.
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    # The same by kind, by owner and by what it is about: with hundreds of objects, each of which is
    # judged at each change, nothing may look through all of them.
    _kinds: defaultdict[tuple[str, str], dict[Key, Obj]] = field(default_factory=_of_mappings)
    _owned: defaultdict[str, dict[Key, Obj]] = field(default_factory=_of_mappings)
    _about: defaultdict[str, dict[str, Obj]] = field(default_factory=_of_mappings)
    _deleted: set[str] = field(default_factory=set)
    _watched: set[tuple[Resource, str]] = field(default_factory=set)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _subscriptions: list[Subscription] = field(default_factory=list)
    _failure: BaseException | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Tracker]:
        """Watches opened inside end here."""
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def ensure(self, resources: Iterable[Resource], *, optional: Iterable[Resource] = ()) -> None:
        """Open a watch for each kind that has none yet; call it before the first apply.

        An ``optional`` kind that may not be watched is in ``denied``, and no failure.
        """
        for resource in (*EVIDENCE, *resources, *optional):
            if (resource, "") not in self._watched:
                self._watched.add((resource, ""))
                follow = self._follow(resource, optional=resource in optional)
                self._tasks.append(asyncio.create_task(follow))

    async def look(self) -> None:
        """One list of each kind of evidence, for a verb that looks once and opens no watch."""
        lists = await asyncio.gather(*(self.cluster.list(r, self.namespace) for r in EVIDENCE))
        for resource, found in zip(EVIDENCE, lists, strict=True):
            for obj in found:
                self._see(resource, "ADDED", obj)

    @contextmanager
    def subscribe(self, keys: Iterable[Key]) -> Iterator[Subscription]:
        """Be woken when one of these objects, or any evidence, changes."""
        subscription = Subscription(set(keys))
        subscription.dirty |= subscription.keys
        subscription.wake.set()
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)

    def put(self, obj: Obj) -> None:
        """Note the answer to a write, unless a watch has seen something newer already."""
        key = key_of(obj)
        known = self.objects.get(key)
        if uid_of(obj) not in self._deleted and _version(known) <= _version(obj):
            self._set(key, obj)

    async def read_events(self) -> None:
        """Read the events once more: a watch of them may be behind that of the pods."""
        with contextlib.suppress(EnvctlError):  # a failure is told all the same
            for event in await self.cluster.list(EVENT, self.namespace):
                self._see_event(event)

    def hear(self, uid: str, line: str) -> None:
        """Keep a line of a Job's log."""
        self.said.setdefault(uid, deque(maxlen=MAX_LINES)).append(line)

    def check(self) -> None:
        """Raise what ended a watch for good, e.g. Forbidden."""
        if self._failure is not None:
            raise self._failure

    def of_kind(self, resource: Resource) -> list[Obj]:
        """All known objects of a kind."""
        return list(self._kinds[_kind(resource)].values())

    def owned_by(self, owner: Obj, resource: Resource) -> list[Obj]:
        """All known objects of a kind that name this one as their owner."""
        wanted = _kind(resource)
        owned = self._owned.get(uid_of(owner), {})
        return [obj for key, obj in owned.items() if (key.group, key.kind) == wanted]

    def pods_of(self, workload: Obj) -> list[Obj]:
        """The pods of a workload's current revision."""
        sets = self.owned_by(workload, REPLICA_SET)
        pods = [pod for maker in (workload, *sets) for pod in self.owned_by(maker, POD)]
        return owners.current_pods(workload, pods, sets)

    def live(self, obj: Obj) -> Obj | None:
        """An object as it was seen last."""
        return self.objects.get(key_of(obj))

    def all_events_of(self, uid: str) -> list[Obj]:
        """Every event about one object, of whatever type."""
        return list(self._about.get(uid, {}).values())

    def events_of(self, uid: str, name: str) -> list[Obj]:
        """The warning events about one object, oldest first."""
        known = (
            self.all_events_of(uid)
            if uid
            else [e for e in self.events.values() if e["involvedObject"].get("name") == name]
        )
        return sorted((e for e in known if e.get("type") == "Warning"), key=last_seen)

    async def _follow(self, resource: Resource, *, optional: bool = False) -> None:
        namespace = self.namespace if resource.namespaced else ""
        try:
            async for change in self.cluster.watch(resource, namespace):
                self._see(resource, change.type, change.object)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
            if optional and isinstance(error, Forbidden):
                self.denied.add(resource)
            else:
                self._failure = error
            for subscription in self._subscriptions:
                subscription.wake.set()

    def _see(self, resource: Resource, kind: str, obj: Obj) -> None:
        if kind == "RESYNC":
            for key in [k for k in self.objects if (k.group, k.kind) == _kind(resource)]:
                self._drop(key)
            return
        if resource.kind == EVENT.kind:
            self._see_event(obj)
            return
        obj.setdefault("apiVersion", resource.api_version)
        obj.setdefault("kind", resource.kind)
        key = key_of(obj)
        # A proxy may repeat what happened, and in another order: the newest version counts, and
        # what was deleted stays so, whatever is told of it afterwards.
        known = self.objects.get(key)
        if kind == "DELETED":
            self._deleted |= {uid_of(obj)} - {""}
            if known is None or uid_of(known) == uid_of(obj):
                self._drop(key)
        elif uid_of(obj) not in self._deleted and _version(known) <= _version(obj):
            self._set(key, obj)

    def _see_event(self, obj: Obj) -> None:
        name = obj.get("metadata", {}).get("name", "")
        self._forget_event(name)
        self.events[name] = obj
        self._about[_about(obj)][name] = obj
        while len(self.events) > MAX_EVENTS:
            self._forget_event(next(iter(self.events)))
        for subscription in self._subscriptions:
            subscription.wake.set()

    def _forget_event(self, name: str) -> None:
        known = self.events.pop(name, None)
        if known is not None:
            _discard(self._about, _about(known), name)

    def _set(self, key: Key, obj: Obj) -> None:
        self._take_out(key)
        self.objects[key] = obj
        self._kinds[key.group, key.kind][key] = obj
        for owner in owners.owner_uids(obj):
            self._owned[owner][key] = obj
        self._wake(key)

    def _drop(self, key: Key) -> None:
        self._take_out(key)
        self._wake(key)

    def _take_out(self, key: Key) -> None:
        known = self.objects.pop(key, None)
        self.changes[key.group, key.kind] += 1
        if known is not None:
            self._kinds[key.group, key.kind].pop(key, None)
            for owner in owners.owner_uids(known):
                _discard(self._owned, owner, key)

    def _wake(self, key: Key) -> None:
        for subscription in self._subscriptions:
            if key in subscription.keys:
                subscription.dirty.add(key)
                subscription.wake.set()
            elif key.kind in _EVIDENCE_KINDS:
                subscription.wake.set()


def _discard(index: defaultdict[str, dict[Any, Obj]], name: str, key: Any) -> None:
    index[name].pop(key, None)
    if not index[name]:
        del index[name]


def _about(event: Obj) -> str:
    """The UID of what an event is about."""
    return str((event.get("involvedObject") or {}).get("uid", ""))


def last_seen(event: Obj) -> str:
    """When an event last happened, RFC 3339."""
    series = event.get("series") or {}
    return str(
        event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime") or ""
    )


def _kind(resource: Resource) -> tuple[str, str]:
    return resource.group, resource.kind


def _version(obj: Obj | None) -> int:
    """The resource version, which the API server hands out in growing order (KEP-5504)."""
    text = str((obj or {}).get("metadata", {}).get("resourceVersion", ""))
    return int(text) if text.isdecimal() else 0
