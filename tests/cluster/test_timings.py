"""Where the time of a real run went: what is told adds up to what was measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cluster.app import CONFIG, deployment

if TYPE_CHECKING:
    from tests.cluster.app import App

SLOW = deployment(
    "web", "docker.io/envctl/busybox:1", command="sleep 3; touch /tmp/up; sleep 3600"
).rstrip("}\n")


def test_the_timeline_of_a_run(app: App) -> None:
    app.write(
        {
            "deploy/config.yaml": CONFIG,
            "deploy/web.yaml": SLOW
            + ", readinessProbe: {periodSeconds: 1, exec: {command: "
            + '[/bin/sh, -c, "test -e /tmp/up"]}}}\n',
        }
    )
    trace, picture = app.folder / "out/trace.json", app.folder / "out/trace.svg"
    done = app.run("up", "--timings", "--trace", str(trace))
    bars = [e for e in json.loads(trace.read_text())["traceEvents"] if e["ph"] == "X"]

    def of(kind: str, step: str) -> list[dict[str, Any]]:
        return [bar for bar in bars if bar["cat"] == kind and bar["args"]["step"] == step]

    (web,) = of("step", "deploy/web")
    (readiness,) = of("readiness", "deploy/web")
    assert web["args"]["critical"]
    assert readiness["dur"] >= 2e6, "it was ready three seconds after its start, in whole ones"
    assert web["ts"] <= readiness["ts"]
    assert readiness["ts"] + readiness["dur"] <= web["ts"] + web["dur"] + 1e6
    assert of("run", "check/smoke")
    assert of("api", "deploy/web")
    assert "msg=timing" in done.stderr

    again = app.run("up", "--trace", str(picture))
    assert again.json["result"] == "unchanged"
    assert "msg=timing" not in again.stderr
    assert picture.read_text().startswith("<svg")
