"""Server-side apply and merge patches, as far as the fake cluster needs them."""

from __future__ import annotations

import copy
from typing import Any


def fields(obj: Any) -> dict[str, Any]:
    """FieldsV1 of everything in an applied object but its identity; lists are atomic."""
    left = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind")}
    if isinstance(left.get("metadata"), dict) and "name" in left["metadata"]:
        kept = {k: v for k, v in left["metadata"].items() if k in ("labels", "annotations")}
        left["metadata"] = kept
    return {f"f:{k}": fields(v) if isinstance(v, dict) else {} for k, v in left.items()}


def leaves(found: dict[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    paths = []
    for key, below in found.items():
        path = (*prefix, key.removeprefix("f:"))
        paths += leaves(below, path) if below else [path]
    return paths


def at(obj: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        obj = obj.get(part, {}) if isinstance(obj, dict) else {}
    return obj


def merged(old: Any, new: Any) -> Any:
    """RFC 7396: null removes a key."""
    for key, value in new.items():
        if value is None:
            old.pop(key, None)
        elif isinstance(value, dict) and isinstance(old.get(key), dict):
            merged(old[key], value)
        else:
            old[key] = copy.deepcopy(value)
    return old
