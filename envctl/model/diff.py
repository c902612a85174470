"""The difference of two objects, field by field, with secrets masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envctl.model.plan import FieldChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envctl.model.objects import Obj

#: What the server writes by itself; it says nothing about what would change.
_SERVERS = {
    "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
}  # fmt: skip
#: kubectl's copy of the whole object: says nothing new, and says a Secret's values in clear.
_COPY = "kubectl.kubernetes.io/last-applied-configuration"
#: Lists of these keys are compared by name, as Kubernetes merges them.
_NAMED = ("name", "containerPort", "port", "mountPath", "ip", "key", "type")
MASK = "(masked)"


def fields(before: Obj, after: Obj) -> tuple[FieldChange, ...]:
    """What differs, in the order of paths; values of a Secret are masked."""
    found = tuple(_differ(_clean(before), _clean(after), ""))
    secret = "Secret" in (before.get("kind"), after.get("kind"))
    return tuple(_masked(change) for change in found) if secret else found


def _masked(change: FieldChange) -> FieldChange:
    if not change.path.startswith(("data", "stringData")):
        return change
    return FieldChange(
        change.path,
        None if change.before is None else MASK,
        None if change.after is None else MASK,
    )


def _clean(obj: Obj) -> Obj:
    found = {key: value for key, value in obj.items() if key != "status"}
    if "metadata" in found:
        meta = {k: v for k, v in found["metadata"].items() if k not in _SERVERS}
        if _COPY in (meta.get("annotations") or {}):
            meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k != _COPY}
        found["metadata"] = meta
    return found


def _differ(before: Any, after: Any, path: str) -> Iterator[FieldChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            inner = f"{path}.{key}" if path else str(key)
            yield from _differ(before.get(key), after.get(key), inner)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _differ_lists(before, after, path)
    elif before != after:
        yield FieldChange(path, before, after)


def _differ_lists(before: list[Any], after: list[Any], path: str) -> Iterator[FieldChange]:
    key = _list_key([*before, *after])
    if key is None:
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else None
            other = after[index] if index < len(after) else None
            yield from _differ(one, other, f"{path}[{index}]")
        return
    olds = {item[key]: item for item in before}
    news = {item[key]: item for item in after}
    for name in [*olds, *(n for n in news if n not in olds)]:
        yield from _differ(olds.get(name), news.get(name), f"{path}[{name}]")


def _list_key(items: list[Any]) -> str | None:
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    for key in _NAMED:
        values = [item.get(key) for item in items]
        if all(isinstance(value, str | int) for value in values):
            return key
    return None
