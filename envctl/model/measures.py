"""What a check measured, as its container left it: ``name=number`` in the termination message.

Kubernetes keeps what a container writes to ``/dev/termination-log``, up to 4096 bytes, in the pod's
status (https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/), so
that a number needs no library, no port and no log format to be handed over.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.objects import Obj

#: Numbers kept of one check: a table of more is nobody's reading.
MOST = 40
_PAIR = re.compile(r"(?:^|\s)([A-Za-z_][A-Za-z0-9_.:-]{0,59})=([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)")

Measures = tuple[tuple[str, float], ...]


def parse(text: str) -> Measures:
    """Every ``name=number`` that stands by itself; of a name said twice the last one counts."""
    found: dict[str, float] = {}
    for match in _PAIR.finditer(text):
        end = text[match.end() : match.end() + 1]
        if end and not end.isspace():
            continue  # a word that only begins like a number: a version, a duration
        try:
            value = float(match[2])
        except ValueError:
            continue
        if math.isfinite(value):
            found[match[1]] = value
    return tuple(found.items())[:MOST]


def of_pods(pods: Iterable[Obj]) -> Measures:
    """The numbers in the termination messages of pods, oldest pod first."""
    ordered = sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""))
    messages = [
        str(((container.get("state") or {}).get("terminated") or {}).get("message") or "")
        for pod in ordered
        for container in (pod.get("status") or {}).get("containerStatuses") or []
    ]
    return parse("\n".join(messages))
