"""The good runs of an environment's checks, on its Lease: a branch's last one is the baseline.

They outlive the environment, as its lock does, and there are never more of them than there is room
for: an annotation of all may be 256 KiB.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.model import measures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.model.measures import Measures, Samples

ANNOTATION = "envctl.dev/measured"
#: Good runs kept of one check, and characters of all of them.
MOST_RUNS = 20
ROOM = 64 * 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """One good run of a check. ``at`` is RFC 3339; ``definition`` is the check's own number."""

    metrics: Measures
    seconds: float = 0.0
    definition: int = 1
    commit: str = ""
    at: str = ""
    samples: Samples = ()


Runs = dict[str, tuple[Measured, ...]]


def load(annotations: Mapping[str, str]) -> Runs:
    """The runs by check, oldest first; what cannot be read is left out."""
    try:
        known = json.loads(annotations.get(ANNOTATION, "{}"))
        return {str(name): tuple(map(_run, runs)) for name, runs in known.items()}
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return {}


def added(annotations: Mapping[str, str], check: str, run: Measured) -> str:
    """The annotation with one run more; the oldest ones go where there is no room for all."""
    runs = load(annotations)
    runs[check] = (*runs.get(check, ()), run)[-MOST_RUNS:]
    while len(text := _dump(runs)) > ROOM:
        longest = max(runs, key=lambda name: len(runs[name]))
        if len(runs[longest]) <= 1:
            del runs[min(runs, key=lambda name: (name == check, runs[name][-1].at))]
        else:
            runs[longest] = runs[longest][1:]
    return text


def _dump(runs: Runs) -> str:
    value = {
        name: [
            {"metrics": dict(one.metrics), "seconds": one.seconds, "definition": one.definition,
             "commit": one.commit, "at": one.at,
             **({"samples": measures.dump(one.samples)} if one.samples else {})}
            for one in known
        ]
        for name, known in sorted(runs.items())
    }  # fmt: skip
    return json.dumps(value, separators=(",", ":"))


def _run(value: dict[str, Any]) -> Measured:
    metrics = tuple(
        (str(name), measures.finite(number)) for name, number in value["metrics"].items()
    )
    return Measured(
        metrics[: measures.MOST],
        float(value["seconds"]),
        int(value["definition"]),
        str(value["commit"]),
        str(value["at"]),
        measures.load(value.get("samples") or {}),
    )
