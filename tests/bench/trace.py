"""Where a run's time went, in a sentence: from the trace that ``envctl up --trace`` writes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from envctl.model.timeline import Bar, union

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.measure import Ran

_WORDS = {
    "helm": "Helm's processes", "kustomize": "kustomize's processes", "api": "the API server",
    "pause": "pauses before retries", "scheduling": "scheduling", "init": "init containers",
    "pull": "image pulls", "start": "containers' starts", "readiness": "readiness", "run": "Jobs",
}  # fmt: skip


def told(file: Path, ran: Ran) -> str:
    """How long a run waited for each thing, and which steps decided when it ended."""
    bars, critical = _read(file)
    seconds = {kind: union(found) for kind, found in bars.items()}
    inside = union([bar for found in bars.values() for bar in found])
    words = [
        f"{_WORDS.get(kind, kind)} {spent:.2f} s"
        for kind, spent in sorted(seconds.items(), key=lambda item: -item[1])
    ]
    own = f"Python's start, imports and own work {max(0.0, ran.wall - inside):.2f} s"
    chain = f"; decided by {' → '.join(critical)}" if critical else ""
    said = ", ".join([*words, own])
    return f"of {ran.wall:.2f} s ({ran.cpu:.2f} s of processors): {said}{chain}"


def _read(file: Path) -> tuple[dict[str, list[Bar]], list[str]]:
    events: list[dict[str, Any]] = json.loads(file.read_text())["traceEvents"]
    bars: dict[str, list[Bar]] = defaultdict(list)
    critical: list[tuple[float, str]] = []
    for event in (event for event in events if event["ph"] == "X"):
        began, ended = event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6
        if event["cat"] == "step":
            if event["args"]["critical"]:
                critical.append((began, event["name"]))
        else:
            bars[event["cat"]].append(Bar(event["cat"], event["name"], began, ended))
    return bars, [name for _, name in sorted(critical)]
