"""What ``status`` says of an environment: the same data for the screen and for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.model.environment import PIPELINE
from envctl.model.objects import Obj, annotations_of

if TYPE_CHECKING:
    from envctl.model.environment import EnvironmentInfo
    from envctl.model.record import Checked


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """One object of a component; ``reason`` says why it is not ready, in words."""

    object: str
    ready: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One component. ``state`` is ``ready``, ``waiting``, ``failed`` or ``unfinished``.

    ``failed`` will not become ready by itself; ``unfinished`` is what a run has begun and not
    ended, because it still works, failed, or was killed.
    """

    name: str
    type: str
    state: str
    objects: tuple[ObjectStatus, ...]

    @property
    def unready(self) -> tuple[ObjectStatus, ...]:
        """The objects that are not ready."""
        return tuple(obj for obj in self.objects if not obj.ready)


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """One resource of a quota, as Kubernetes counts it; quantities as it writes them."""

    resource: str
    used: str
    hard: str


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Which run works on the environment; times are RFC 3339, by that run's clock."""

    run: str
    pipeline: str
    acquired_at: str
    renewed_at: str


@dataclass(frozen=True, slots=True)
class StatusResult:
    """What ``status`` ends with; ``drift`` holds a sentence for each object that changed."""

    environment: EnvironmentInfo
    urls: tuple[str, ...]
    components: tuple[ComponentStatus, ...]
    checks: tuple[tuple[str, Checked], ...]
    quota: tuple[QuotaUse, ...]
    drift: tuple[str, ...]
    lock: LockHolder | None

    def as_json(self) -> dict[str, Any]:
        """The public JSON of ``status`` (docs/json.md)."""
        return {
            "environment": self.environment.as_json(),
            "urls": list(self.urls),
            "components": [_component(component) for component in self.components],
            "checks": [
                {"name": name, "result": "passed" if c.good else "failed", "seconds": c.seconds}
                for name, c in self.checks
            ],
            "quota": [{"resource": q.resource, "used": q.used, "hard": q.hard} for q in self.quota],
            "drift": list(self.drift),
            "lock": _lock(self.lock) if self.lock else None,
        }


def _component(component: ComponentStatus) -> dict[str, Any]:
    return {
        "name": component.name,
        "type": component.type,
        "state": component.state,
        "objects": [
            {"object": o.object, "ready": o.ready, "reason": o.reason} for o in component.objects
        ],
    }


def _lock(lock: LockHolder) -> dict[str, str]:
    return {
        "run": lock.run,
        "pipeline": lock.pipeline,
        "acquiredAt": lock.acquired_at,
        "renewedAt": lock.renewed_at,
    }


def quota_of(quotas: list[Obj]) -> tuple[QuotaUse, ...]:
    """What is used of what may be; what was not counted yet counts as nothing used."""
    found = []
    for quota in quotas:
        status = quota.get("status") or {}
        hard = status.get("hard") or (quota.get("spec") or {}).get("hard") or {}
        used = status.get("used") or {}
        found += [QuotaUse(name, str(used.get(name, "0")), str(hard[name])) for name in hard]
    return tuple(sorted(found, key=lambda use: use.resource))


def holder_of(lease: Obj | None) -> LockHolder | None:
    """Who holds the lock; None where nobody does."""
    spec = (lease or {}).get("spec") or {}
    run = spec.get("holderIdentity")
    if not run:
        return None
    return LockHolder(
        str(run),
        annotations_of(lease or {}).get(PIPELINE, ""),
        spec.get("acquireTime") or "",
        spec.get("renewTime") or "",
    )
