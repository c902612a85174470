"""What leads from one object to another: Services to pods, Ingresses to Services.

A Service may select the pods of another component, and that one may come later. The component that
comes last of those that a link needs is the one that waits for it; where nothing in the whole
environment can ever be meant, it is the Service's own, at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import Forbidden
from envctl.model import endpoints, routes
from envctl.model.objects import (
    ENDPOINT_SLICE,
    INGRESS,
    INGRESS_CLASS,
    POD,
    SERVICE,
    Key,
    Obj,
    key_of,
    labels_of,
)
from envctl.model.plan import is_custom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.endpoints import Maker
    from envctl.model.obstacle import Obstacle
    from envctl.model.plan import ComponentPlan
    from envctl.workflow.run import Run


@dataclass(slots=True)
class Links:
    """The links of one environment that one component has to wait for."""

    run: Run
    keys: tuple[Key, ...] = ()
    classes: list[Obj] | None = None
    operators: bool = False
    _owners: dict[Key, str] = field(default_factory=dict)
    _planned: dict[Key, Obj] = field(default_factory=dict)
    _makers: dict[Key, tuple[Obj, Maker]] = field(default_factory=dict)
    _known: tuple[int, dict[str, list[Obj]]] = (-1, {})

    def obstacle_of(self, obj: Obj) -> Obstacle | None:
        """Why the link leads nowhere; None where it does, or where that cannot be known."""
        if key_of(obj) not in self.keys:
            return None
        if obj.get("kind") == INGRESS.kind:
            return routes.obstacle_of(obj, self.classes, self._services(), operators=self.operators)
        if ENDPOINT_SLICE in self.run.tracker.denied:
            return None
        return endpoints.obstacle_of(
            obj, self.makers(), self.run.tracker.of_kind(POD), self._slices(obj),
            operators=self.operators,
        )  # fmt: skip

    def remarks(self) -> list[str]:
        """What is odd about a link and no reason to fail: a port of several that nobody serves."""
        found = []
        for key in self.keys:
            service = self.run.tracker.objects.get(key, {})
            selector = endpoints.selector_of(service)
            specs = [m.spec for m in self.makers() if _selected(selector, m)]
            if key.kind == SERVICE.kind and specs:
                found += [
                    f"{key}: its port {port.get('port')} leads to {port['targetPort']!r}, a name "
                    "that no port of its pods has"
                    for port in endpoints.unserved(service, specs)
                ]
        return found

    def makers(self) -> list[Maker]:
        """Every workload of the environment, as it is live where it is."""
        live = self.run.tracker.objects
        for key, (seen, _) in self._makers.items():
            now = live.get(key, self._planned[key])
            if now is not seen and (maker := endpoints.maker(now)) is not None:
                self._makers[key] = now, maker
        return [maker for _, maker in self._makers.values()]

    def _slices(self, service: Obj) -> list[Obj]:
        tracker = self.run.tracker
        changes = tracker.changes[ENDPOINT_SLICE.group, ENDPOINT_SLICE.kind]
        if changes != self._known[0]:
            found: dict[str, list[Obj]] = {}
            for part in tracker.of_kind(ENDPOINT_SLICE):
                found.setdefault(labels_of(part).get(endpoints.SERVICE_NAME, ""), []).append(part)
            self._known = changes, found
        return self._known[1].get(service["metadata"]["name"], [])

    def _services(self) -> dict[str, Obj]:
        live = self.run.tracker.of_kind(SERVICE)
        return {obj["metadata"]["name"]: obj for obj in live}

    # Whose they are

    def read(self) -> None:
        """Take in what every component has: what it is to have, or has where nothing changes."""
        for name, planned in self.run.plans.items():
            for obj in _objects(planned):
                self._owners[key_of(obj)] = name
                self._planned[key_of(obj)] = obj
                if (maker := endpoints.maker(obj)) is not None:
                    self._makers[maker.key] = obj, maker
                self.operators |= is_custom(obj)
                if not planned.changed:
                    self.run.tracker.put(obj)

    def awaited_by(self, component: str) -> list[Key]:
        """The Services and Ingresses that this component comes last for."""
        found = []
        for key, obj in self._planned.items():
            members = {self._owners[key], *self._needed(obj)}
            changed = {name for name in members if self.run.plans[name].changed}
            if component in _last(changed, self.run) and key in self.run.tracker.objects:
                found.append(key)
        return found

    def _needed(self, obj: Obj) -> Iterable[str]:
        """The components that have what the object leads to."""
        namespace = obj["metadata"].get("namespace", "")
        if obj.get("kind") == INGRESS.kind:
            keys = [Key("", SERVICE.kind, namespace, name) for name, _ in routes.backends(obj)]
            return [self._owners[key] for key in keys if key in self._owners]
        selector = endpoints.selector_of(obj) if obj.get("kind") == SERVICE.kind else {}
        if not selector:
            return []
        return [self._owners[m.key] for m in self.makers() if _selected(selector, m)]


async def of(run: Run, component: str) -> Links:
    """The links that the component waits for, with the watches that it takes."""
    links = Links(run)
    links.read()
    keys = [key for key in links.awaited_by(component) if _leads(run.tracker.objects[key])]
    links.keys = tuple(keys)
    if any(key.kind == SERVICE.kind for key in keys):
        run.tracker.ensure((), optional=(ENDPOINT_SLICE,))
    ingresses = [run.tracker.objects[key] for key in keys if key.kind == INGRESS.kind]
    if ingresses:
        links.classes = await _classes(run)
        if any(map(routes.classless, ingresses)):
            run.tracker.ensure({INGRESS})
        known = links._services()  # noqa: SLF001 - its own maker
        if any(name not in known for obj in ingresses for name, _ in routes.backends(obj)):
            run.tracker.ensure({SERVICE})
    return links


def _leads(obj: Obj) -> bool:
    """Whether it leads to something that can be looked at."""
    kind = obj.get("kind")
    return kind == INGRESS.kind or (kind == SERVICE.kind and bool(endpoints.selector_of(obj)))


async def _classes(run: Run) -> list[Obj] | None:
    try:
        return await run.cluster.list(INGRESS_CLASS)
    except Forbidden:
        return None


def _objects(planned: ComponentPlan) -> Iterable[Obj]:
    return [obj for _, obj in planned.objects] if planned.changed else planned.live.values()


def _selected(selector: dict[str, str], maker: Maker) -> bool:
    return bool(selector) and endpoints.fit(selector, maker.labels) is not endpoints.Fit.NO


def _last(members: set[str], run: Run) -> set[str]:
    """Those of the members that no other of them waits for."""
    needs = {name: _closure(name, run) for name in members}
    return {name for name in members if not any(name in needs[other] for other in members)}


def _closure(name: str, run: Run) -> set[str]:
    direct = {c.name: c.needs for c in run.spec.components}
    found: set[str] = set()
    waiting = list(direct.get(name, ()))
    while waiting:
        need = waiting.pop()
        if need not in found:
            found.add(need)
            waiting += direct.get(need, ())
    return found
