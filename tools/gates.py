"""Record a real `up` whose numbers a gate refuses as the pictures of docs/checks.md.

    .venv/bin/python tools/gates.py [CLUSTER]

The embedded cluster must run (`envctl local start`). The environments `main` and `change` of the
project `model` are taken away at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from failure import COLUMNS, ENVCTL, IMAGE, LINES, LOAD, ROOT, surroundings
from screen import Terminal, svg

PICTURE = ROOT / "docs" / "images" / "gates.svg"
PLOT = ROOT / "docs" / "images" / "plot.svg"
#: What the runs of `main` measure, one after the other.
BEFORE = ((0.921, 118), (0.924, 109), (0.931, 112), (0.929, 107), (0.936, 101), (0.934, 104))
FILE = """\
apiVersion: envctl.dev/v1
project: model
components:
  - {name: settings, manifests: [settings.yaml]}
checks:
  - name: quality
    job: quality.yaml
    gates: [accuracy >= baseline - 0.01, p95_ms <= baseline * 1.10]
"""
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}


def check(numbers: str) -> str:
    """A Job that measures these numbers."""
    line = f"echo 1000 samples seen; echo {numbers} >/dev/termination-log"
    container = {"name": "quality", "image": IMAGE, "command": ["sh", "-c", line]}
    spec = {"restartPolicy": "Never", "containers": [container]}
    found = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "quality"},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }
    return json.dumps(found)


def main() -> int:
    """Run it and draw it; returns 1 if it did not end as it should."""
    cluster = sys.argv[1] if len(sys.argv) > 1 else "default"
    environment = surroundings(cluster)
    subprocess.run([sys.executable, "-c", LOAD, cluster], cwd=ROOT, check=True)
    terminal = Terminal(COLUMNS, LINES)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "envctl.yaml").write_text(FILE)
        (place / "settings.yaml").write_text(json.dumps(SETTINGS))
        up = [str(ENVCTL), "up", "--name"]
        for accuracy, latency in BEFORE:
            numbers = f"accuracy={accuracy} p95_ms={latency}"
            (place / "quality.yaml").write_text(check(numbers))
            subprocess.run([*up, "main"], cwd=place, env=environment, check=True)
        (place / "quality.yaml").write_text(check("accuracy=0.941 p95_ms=131"))
        change = [*up, "change", "--plot", str(PLOT)]
        code = terminal.run("envctl up --name change --plot gates.svg", change, place, environment)
        for name in ("change", "main"):
            down = [str(ENVCTL), "down", "--name", name]
            subprocess.run(down, cwd=place, env=environment, check=True)
    if code != 4:
        print("\n".join(row.plain for row in terminal.now()))
        return 1
    PICTURE.write_text(svg(terminal.now(), "envctl up", COLUMNS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
