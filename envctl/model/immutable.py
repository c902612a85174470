"""Fields that cannot be changed once their object is there: which, and what to do instead.

The sentences are those of k8s.io/kubernetes/pkg/apis/*/validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_FIXED = re.compile(
    r"(?:is|are) immutable|may not change once set|cannot change roleRef|"
    r"may not change fields other than|updates to .+ are forbidden|may not be changed once set"
)
_VALUE = re.compile(r"^(?:Invalid value: .*|Forbidden): (?=[^:]*$)", re.DOTALL)


def fixed(causes: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Each such field among the causes of a refusal, with the server's reason without the value."""
    found: dict[str, str] = {}
    for cause in causes:
        message = str(cause.get("message", ""))
        if _FIXED.search(message):
            found.setdefault(str(cause.get("field", "")), _VALUE.sub("", message))
    return tuple(found.items())


def advice(kind: str, name: str, namespace: str) -> str:
    """What to do about an object that cannot be changed in place."""
    where = f" -n {namespace}" if namespace else ""
    command = f"`kubectl delete {kind.lower()} {name}{where}`"
    if kind == "PersistentVolumeClaim":
        return (
            "Put these fields back, or give the claim another name; "
            f"to give up what it holds, delete it: {command}."
        )
    stays = "; its claims and what they hold stay" if kind == "StatefulSet" else ""
    return (
        f"Put these fields back or give it another name; or delete it, and the next run makes it "
        f"anew{stays}: {command}."
    )
