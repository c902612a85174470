"""Record a real `up` that fails as the picture of docs/diagnosis.md.

    .venv/bin/python tools/failure.py [CLUSTER]

The embedded cluster must run (`envctl local start`). The environment is called `broken` and is
taken away at the end: a shop whose API lacks a variable.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from screen import Terminal, svg

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "failure.svg"
ENVCTL = Path(sys.executable).with_name("envctl")
COLUMNS, LINES = 104, 40
IMAGE = "docker.io/envctl/busybox:1"
LOAD = """\
import sys
from tests.cluster import busybox, node
busybox.load(node.Envctl(), sys.argv[1])
"""
API = """\
echo 'api 2.4.0, reading its configuration'
: "${DATABASE_URL:?is not set, and there is no default}"
"""
FILE = """\
apiVersion: envctl.dev/v1
project: shop
components:
  - {name: queue, manifests: [queue.yaml]}
  - {name: api, needs: [queue], manifests: [api.yaml], timeout: 3m}
  - {name: web, needs: [api], manifests: [web.yaml]}
  - {name: worker, needs: [api], manifests: [worker.yaml]}
"""


def deployment(name: str, line: str) -> str:
    """A Deployment whose container runs a line of shell until it can be asked whether it is up."""
    labels = {"app": name}
    container = {
        "name": name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", line],
        "readinessProbe": {"exec": {"command": ["true"]}, "initialDelaySeconds": 1},
    }
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    found = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    return json.dumps(found)


def surroundings(cluster: str) -> dict[str, str]:
    """The variables with which envctl works on an embedded cluster."""
    asked = [ENVCTL, "local", "status", "--name", cluster, "-o", "json"]
    found = json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout)
    return {**os.environ, "KUBECONFIG": found["kubeconfig"], "ENVCTL_CONTEXT": found["context"]}


def main() -> int:
    """Run it and draw it; returns 1 if it did not fail as it should."""
    cluster = sys.argv[1] if len(sys.argv) > 1 else "default"
    environment = surroundings(cluster)
    subprocess.run([sys.executable, "-c", LOAD, cluster], cwd=ROOT, check=True)
    terminal = Terminal(COLUMNS, LINES)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "envctl.yaml").write_text(FILE)
        for name in ("queue", "web", "worker"):
            (place / f"{name}.yaml").write_text(deployment(name, "sleep 3600"))
        (place / "api.yaml").write_text(deployment("api", API))
        command = [str(ENVCTL), "up", "--name", "broken"]
        code = terminal.run("envctl up --name broken", command, place, environment)
        subprocess.run([ENVCTL, "down", "--name", "broken"], cwd=place, env=environment, check=True)
    if code != 1:
        print("\n".join(row.plain for row in terminal.now()))
        return 1
    PICTURE.write_text(svg(terminal.now(), "envctl up", COLUMNS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
