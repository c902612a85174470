"""What the API server refused to apply, as an error that says who stands in the way of what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, TimedOut
from envctl.model import immutable
from envctl.model.objects import Obj, key_of

if TYPE_CHECKING:
    from envctl.ports.cluster import Conflict, Invalid, WebhookDown

#: Field managers' and servers' fields that are named.
_NAMED = 5


def conflict(error: Conflict, obj: Obj, component: str) -> EnvctlError:
    """Fields that another field manager owns; the error itself where it is about something else."""
    if not error.managers:
        return error
    owners: dict[str, list[str]] = {}
    for found in error.managers:
        owners.setdefault(found.manager, []).append(found.field.lstrip("."))
    words = "; ".join(f"{who!r} owns {', '.join(what[:_NAMED])}" for who, what in owners.items())
    return EnvctlError(
        f"{key_of(obj)} of {component} has fields that another field manager owns.",
        why=f"The field manager {words}.",
        next="Leave these fields out of the manifest, or let the other manager go: "
        "`kubectl get -o yaml --show-managed-fields` shows who owns what.",
    )


def unheard(error: WebhookDown, waited: float, *, late: bool) -> EnvctlError:
    """A webhook that did not come back in the time that its own pod would need.

    ``late``: the step's own time ended before.
    """
    kind = TimedOut if late else EnvctlError
    return kind(f"{error.what.rstrip('.')} in {waited:.0f} s.", why=error.why, next=error.next)


def unchangeable(error: Invalid, obj: Obj, component: str, namespace: str) -> EnvctlError:
    """Fields that cannot be changed; the error itself where it is about something else."""
    if not error.fixed:
        return error
    fields = ", ".join(field for field, _ in error.fixed[:_NAMED])
    reasons = ", ".join(dict.fromkeys(why.rstrip(".") for _, why in error.fixed))
    return EnvctlError(
        f"{key_of(obj)} of {component} cannot be changed in place: {fields}.",
        why=f"Such a field cannot be changed once the object is there ({reasons}).",
        next=immutable.advice(obj["kind"], obj["metadata"]["name"], namespace),
    )
