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
    from collections.abc import Iterable, Mapping

    from envctl.model.objects import Obj

#: Numbers kept of one check: a table of more is nobody's reading.
MOST = 40
_PAIR = re.compile(r"(?:^|\s)([A-Za-z_][A-Za-z0-9_.:-]{0,59})=([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)")

Measures = tuple[tuple[str, float], ...]
#: What each of several runs measured, by name; of a metric that not every run had, there are fewer.
Samples = tuple[tuple[str, tuple[float, ...]], ...]


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


def merged(found: Iterable[Measures]) -> Measures:
    """The numbers of a Job that was tried several times: the last one of a name counts."""
    return tuple({name: value for one in found for name, value in one}.items())[:MOST]


def sampled(found: Iterable[Measures]) -> Samples:
    """The numbers of a Job of several runs, of which each is a sample."""
    samples: dict[str, list[float]] = {}
    for one in found:
        for name, value in one:
            samples.setdefault(name, []).append(value)
    return tuple((name, tuple(values)) for name, values in samples.items())[:MOST]


def medians(samples: Samples) -> Measures:
    """One number for each metric."""
    from statistics import median  # dear, and only what is run several times has samples

    return tuple((name, median(values)) for name, values in samples)


def ordered(pods: Iterable[Obj]) -> list[Obj]:
    """Pods by their age, the oldest first."""
    return sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""))


def message(pod: Obj) -> str:
    """The termination messages of a pod's containers."""
    return "\n".join(
        str(((container.get("state") or {}).get("terminated") or {}).get("message") or "")
        for container in (pod.get("status") or {}).get("containerStatuses") or []
    )


def dump(samples: Samples) -> dict[str, list[float]]:
    """As JSON has them."""
    return {name: list(values) for name, values in samples}


def load(value: Mapping[str, Iterable[float]]) -> Samples:
    """What ``dump`` has made; raises ValueError, TypeError or AttributeError for anything else."""
    return tuple((str(name), tuple(map(finite, values))) for name, values in value.items())


def finite(value: float) -> float:
    """A number that is one; raises ValueError for NaN and infinity, which JSON's parser takes."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no finite number")
    return number
