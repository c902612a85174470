"""An object in words, as one would ask for it: its state first, then its conditions and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envctl.model.objects import containers, labels_of, pod_specs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envctl.model.objects import Obj

_COUNTS = (
    "replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "unavailableReplicas",
    "desiredNumberScheduled", "numberReady", "active", "succeeded", "failed", "phase", "reason",
    "message", "podIP", "observedGeneration",
)  # fmt: skip


def describe(obj: Obj, events: Sequence[Obj] = ()) -> str:
    """The text of one object, with the events that are about it."""
    meta, status = obj.get("metadata") or {}, _mapping(obj.get("status"))
    facts = [
        ("Created", meta.get("creationTimestamp")),
        ("Deleting since", meta.get("deletionTimestamp")),
        ("Finalizers", ", ".join(meta.get("finalizers") or [])),
        ("Labels", ", ".join(f"{k}={v}" for k, v in sorted(labels_of(obj).items()))),
        ("Controlled by", _owner(meta)),
        ("Generation", meta.get("generation")),
        ("Node", _mapping(obj.get("spec")).get("nodeName")),
        *((name, status.get(name)) for name in _COUNTS),
    ]
    lines = [f"{obj.get('kind', '')}/{meta.get('name', '')}"]
    lines += [f"  {name}: {value}" for name, value in facts if value not in (None, "")]
    lines += _conditions(status)
    lines += _containers(obj, status)
    lines += _events(events)
    return "\n".join(lines) + "\n"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _owner(meta: Obj) -> str:
    owners = meta.get("ownerReferences") or []
    return next((f"{o.get('kind')}/{o.get('name')}" for o in owners if o.get("controller")), "")


def _conditions(status: Obj) -> list[str]:
    found = [c for c in status.get("conditions") or [] if isinstance(c, dict)]
    lines = [
        f"    {c.get('type')}={c.get('status')} {c.get('reason', '')}: {c.get('message', '')}"
        for c in found
    ]
    return ["  Conditions:", *lines] if lines else []


def _containers(obj: Obj, status: Obj) -> list[str]:
    statuses = {
        s.get("name"): s
        for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
        for s in status.get(field) or []
    }
    lines: list[str] = []
    for spec in pod_specs(obj):
        for container in containers(spec):
            lines += [f"  Container {container.get('name')}: {container.get('image')}"]
            lines += [f"    {text}" for text in _settings(container)]
            lines += [f"    {text}" for text in _states(statuses.get(container.get("name")) or {})]
    return lines


def _settings(container: Obj) -> Iterable[str]:
    for name in ("command", "args", "ports", "resources", "volumeMounts", "securityContext"):
        if container.get(name):
            yield f"{name}: {container[name]}"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if container.get(probe):
            yield f"{probe}: {container[probe]}"
    for variable in container.get("env") or []:
        source = variable.get("valueFrom")
        yield f"env {variable.get('name')}: {source or variable.get('value', '')}"


def _states(status: Obj) -> Iterable[str]:
    if not status:
        return
    yield f"ready: {status.get('ready')}, restarts: {status.get('restartCount', 0)}"
    for name, state in (("state", status.get("state")), ("before", status.get("lastState"))):
        for word, details in _mapping(state).items():
            told = ", ".join(f"{k}: {v}" for k, v in _mapping(details).items())
            yield f"{name}: {word} {told}".rstrip()


def _events(events: Sequence[Obj]) -> list[str]:
    return ["  Events:", *(f"    {event_line(event)}" for event in events)] if events else []


def moment_of(event: Obj) -> str:
    """When an event last happened, RFC 3339."""
    series = event.get("series") or {}
    found = event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime")
    return str(found or (event.get("metadata") or {}).get("creationTimestamp") or "")


def event_line(event: Obj) -> str:
    """An event on one line: when, about what, and how often."""
    about = event.get("involvedObject") or {}
    number = (event.get("series") or {}).get("count") or event.get("count") or 1
    often = f" ({number} times)" if number > 1 else ""
    message = " ".join(str(event.get("message", "")).split())
    who = f"{about.get('kind', '')}/{about.get('name', '')}"
    what = f"{event.get('type', '')} {who} {event.get('reason', '')}"
    return f"{moment_of(event)} {what}: {message}{often}"
