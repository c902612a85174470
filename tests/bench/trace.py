"""Where a run's time went, in a sentence: from the trace that ``envctl up --trace`` writes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from envctl.model.timeline import Bar, union

if TYPE_CHECKING:
    from pathlib import Path

_WORDS = {
    "helm": "Helm's processes", "kustomize": "kustomize's processes", "api": "the API server",
    "pause": "pauses before retries", "scheduling": "scheduling", "init": "init containers",
    "pull": "image pulls", "start": "containers' starts", "readiness": "readiness", "run": "Jobs",
}  # fmt: skip


def told(file: Path, wall: float) -> str:
    """Of ``wall`` seconds, how long each thing was waited for, and which steps decided."""
    bars, critical = _read(file)
    parts = [
        (union(found), f"{_WORDS.get(kind, kind)} {union(found):.2f} s")
        for kind, found in bars.items()
    ]
    inside = union([bar for found in bars.values() for bar in found])
    rest = [f"nothing outside (Python's start, imports, own work) {max(0.0, wall - inside):.2f} s"]
    words = [text for _, text in sorted(parts, reverse=True)]
    chain = f"; decided by {' → '.join(critical)}" if critical else ""
    return f"of {wall:.2f} s: {', '.join(words + rest)}{chain}"


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
