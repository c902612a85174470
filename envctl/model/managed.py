"""Which fields of a live object are ours, and whether they still have the value that we gave them.

The API server keeps, in ``metadata.managedFields``, which manager set which field. An edit by hand
moves a field to another manager, so that what a manager still owns, with its values, is a
fingerprint of "nobody touched what we applied", whatever defaults and controllers add around it.
The format is structured-merge-diff's FieldsV1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from envctl.model.objects import Obj, digest

#: Managers that apply what envctl was told to: its own, and Helm's (3 and 4).
OURS = frozenset({"envctl", "helm"})


@dataclass(frozen=True, slots=True)
class Owned:
    """Digests of the fields that are ours: all of them, and all but ``spec.replicas``.

    The second is compared where a HorizontalPodAutoscaler has taken the replicas over, which is
    its job and no drift.
    """

    all: str
    but_replicas: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Who changed an object behind our back: the manager, when, and fields it owns now."""

    manager: str
    time: str
    fields: tuple[str, ...]


def owned(obj: Obj) -> Owned:
    """The digests of what is ours in a live object; ``managedFields`` must not be stripped."""
    parts = [
        project(obj, entry.get("fieldsV1") or {})
        for entry in _entries(obj)
        if entry.get("manager") in OURS and not entry.get("subresource")
    ]
    return Owned(digest(parts), digest([_without_replicas(part) for part in parts]))


def changed(obj: Obj, recorded: Owned) -> bool:
    """Whether a field of ours lost its value or its owner since ``recorded``."""
    now = owned(obj)
    if _scaled_by_controller(obj):
        return now.but_replicas != recorded.but_replicas
    return now.all != recorded.all


def edits(obj: Obj) -> tuple[Edit, ...]:
    """Other managers' hands on the object's own fields, latest first."""
    found = [
        Edit(
            entry.get("manager", ""),
            entry.get("time", ""),
            tuple(paths(entry.get("fieldsV1") or {})),
        )
        for entry in _entries(obj)
        if entry.get("manager") not in OURS
        and entry.get("subresource", "") in ("", "scale")
        and not str(entry.get("manager")).startswith("kube-controller-manager")
    ]
    return tuple(sorted(found, key=lambda edit: edit.time, reverse=True))


def project(value: Any, fields: dict[str, Any]) -> Any:
    """The part of ``value`` that a FieldsV1 set names."""
    inner = {key: sub for key, sub in fields.items() if key != "."}
    if not inner:
        return value
    found: dict[str, Any] = {}
    for key, sub in inner.items():
        kind, _, name = key.partition(":")
        if kind == "f":
            child = value.get(name) if isinstance(value, dict) else None
            found[key] = project(child, sub) if child is not None else None
        elif kind == "k":
            found[key] = project(_item(value, json.loads(name)), sub)
        elif kind == "v":
            found[key] = isinstance(value, list) and json.loads(name) in value
    return found


def _item(value: Any, keys: dict[str, Any]) -> Any:
    for item in value if isinstance(value, list) else []:
        # A key that the object leaves out has its default (a port's protocol is TCP).
        if isinstance(item, dict) and all(item.get(k, v) == v for k, v in keys.items()):
            return item
    return None


def paths(fields: dict[str, Any], prefix: str = "") -> list[str]:
    """``spec.template.spec.containers[web].image`` for every leaf of a FieldsV1 set."""
    found: list[str] = []
    for key, sub in fields.items():
        kind, _, name = key.partition(":")
        if key == ".":
            continue
        if kind == "f":
            path = f"{prefix}.{name}" if prefix else name
        elif kind == "k":
            path = f"{prefix}[{','.join(str(v) for v in json.loads(name).values())}]"
        else:
            path = prefix
        below = {k: v for k, v in sub.items() if k != "."}
        found += paths(below, path) if below else [path]
    return found


def _entries(obj: Obj) -> list[dict[str, Any]]:
    found = obj.get("metadata", {}).get("managedFields") or []
    return sorted(found, key=lambda e: (e.get("manager", ""), e.get("operation", "")))


def _without_replicas(part: Any) -> Any:
    spec = part.get("f:spec") if isinstance(part, dict) else None
    if not isinstance(spec, dict) or "f:replicas" not in spec:
        return part
    return {**part, "f:spec": {k: v for k, v in spec.items() if k != "f:replicas"}}


def _scaled_by_controller(obj: Obj) -> bool:
    return any(
        entry.get("subresource") == "scale"
        and str(entry.get("manager")).startswith("kube-controller-manager")
        for entry in _entries(obj)
    )
