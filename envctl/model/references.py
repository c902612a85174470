"""What a container names and the kubelet does not find: a ConfigMap, a Secret, or a key of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envctl.model.objects import Obj

REASON = "CreateContainerConfigError"
_NAMED = (
    re.compile(r'^(?P<kind>configmap|secret) "(?P<name>[^"]+)" not found'),
    re.compile(
        r"^couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) [^/\s]+/(?P<name>\S+)"
    ),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An object of the pod's namespace; ``key`` is empty where the whole object is missing."""

    kind: str
    name: str
    key: str = ""

    def met_by(self, obj: Obj | None) -> bool:
        """Whether the object, as it is now, has what was missed."""
        if obj is None:
            return False
        return not self.key or any(self.key in (obj.get(f) or {}) for f in ("data", "binaryData"))


def missing(pod: Obj) -> list[Reference]:
    """What the pod's containers wait for by the kubelet's words."""
    status = pod.get("status") or {}
    found = []
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or []:
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") == REASON:
                found += _named(str(waiting.get("message", "")))
    return found


def _named(message: str) -> list[Reference]:
    for pattern in _NAMED:
        match = pattern.match(message)
        if match:
            parts = match.groupdict()
            kind = "Secret" if parts["kind"].lower() == "secret" else "ConfigMap"
            return [Reference(kind, parts["name"], parts.get("key", ""))]
    return []
