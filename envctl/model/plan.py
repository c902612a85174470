"""What a run would do, as data: it can be printed, compared and tested without a cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.model.objects import Key, Obj, Resource, key_of

if TYPE_CHECKING:
    from envctl.model.record import Deployed
    from envctl.model.spec import Component

#: Kinds whose definition others need, and kinds that run something with what the rest provides.
#: A role comes before its binding: who may not bind everything may bind only what is there.
_FIRST = frozenset({"CustomResourceDefinition", "Role", "ClusterRole"})
_LAST = frozenset(
    {"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob",
     "ReplicationController", "HorizontalPodAutoscaler", "Ingress", "APIService"}
)  # fmt: skip
_KNOWN_GROUPS = ("", "apps", "batch", "autoscaling", "policy")


@dataclass(frozen=True, slots=True)
class Drift:
    """An object that is no longer as it was deployed: ``what`` is ``deleted`` or ``edited``."""

    key: Key
    what: str
    by: str = ""
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        who = f" by {self.by}" if self.by else ""
        where = f" ({', '.join(self.fields[:3])})" if self.fields else ""
        return f"{self.key} was {self.what}{who}{where}"


@dataclass(frozen=True, slots=True)
class ComponentPlan:
    """One component: what it wants, what is there, and why something is to be done.

    ``reason`` is empty when nothing is. ``objects`` are claimed for the environment; they are there
    when there is something to do, and always for ``plan``.
    """

    component: Component
    digest: str
    reason: str
    objects: tuple[tuple[Resource, Obj], ...] = ()
    drift: tuple[Drift, ...] = ()
    before: Deployed | None = None
    live: dict[Key, Obj] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether it is to be deployed."""
        return bool(self.reason)

    @property
    def drifted(self) -> set[Key]:
        """The objects to be taken back."""
        return {drift.key for drift in self.drift}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one object: ``before`` and ``after`` are None where it is not there."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object: ``action`` is ``create``, ``update``, ``delete`` or ``unchanged``."""

    component: str
    object: str
    action: str
    fields: tuple[FieldChange, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """One entry of ``plan``'s public JSON (docs/json.md)."""
        return {
            "component": self.component,
            "object": self.object,
            "action": self.action,
            "fields": [{"path": f.path, "before": f.before, "after": f.after} for f in self.fields],
        }


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What ``plan`` prints; ``order`` is the components' order of deployment."""

    environment: dict[str, Any]
    order: tuple[str, ...]
    changes: tuple[ObjectChange, ...]
    drift: tuple[str, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Whether ``up`` would write anything."""
        return any(change.action != "unchanged" for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        """The public JSON of ``plan`` (docs/json.md)."""
        return {
            "environment": self.environment,
            "order": list(self.order),
            "changes": [change.as_json() for change in self.changes],
            "drift": list(self.drift),
        }


def is_custom(obj: Obj) -> bool:
    """Whether the kind is none of Kubernetes' own: its controller may make anything."""
    group = obj.get("apiVersion", "").rpartition("/")[0]
    return group not in _KNOWN_GROUPS and not group.endswith("k8s.io")


def wave(obj: Obj) -> int:
    """In which of three waves an object is applied: what others name, what pods need, what runs."""
    kind = obj.get("kind", "")
    if kind in _FIRST:
        return 0
    return 2 if kind in _LAST or is_custom(obj) else 1


def shared_objects(plans: dict[str, list[Key]]) -> list[tuple[Key, str, str]]:
    """Objects that two components claim: the key and both components' names."""
    owner: dict[Key, str] = {}
    found = []
    for component, keys in plans.items():
        for key in keys:
            other = owner.setdefault(key, component)
            if other != component:
                found.append((key, other, component))
    return found


def repeated(objects: list[Obj]) -> Key | None:
    """An object that one component names twice, or None."""
    seen: set[Key] = set()
    for obj in objects:
        key = key_of(obj)
        if key in seen:
            return key
        seen.add(key)
    return None
