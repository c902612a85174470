"""What a failed run leaves for the job's artifact, on the real node: all evidence, no secret."""

from __future__ import annotations

import base64
import json
import signal
from typing import TYPE_CHECKING

from tests.cluster.app import BUSYBOX
from tests.until import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.app import App

CANARY = "c4n4ry-9f3Kq-Zx"
SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: keys}}
stringData: {{key: {CANARY}}}
"""
CRASHING = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, annotations: {{example.org/note: "uses {CANARY}"}}}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      initContainers:
        - name: before
          image: {BUSYBOX}
          command: [sh, -c, 'echo the first to speak']
      containers:
        - name: web
          image: {BUSYBOX}
          readinessProbe: {{exec: {{command: ["false"]}}}}
          args:
            - sh
            - -c
            - 'echo "have $KEY"; echo -n "$KEY" | base64; echo "FATAL: no way on"; exit 127'
            - --password
            - {CANARY}
          env:
            - {{name: KEY, valueFrom: {{secretKeyRef: {{name: keys, key: key}}}}}}
            - {{name: PLAIN, value: {CANARY}}}
"""
COMPONENTS = (
    "  - {name: keys, manifests: [deploy/keys.yaml]}\n"
    "  - {name: web, needs: [keys], manifests: [deploy/web.yaml], timeout: 90s}\n"
)


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_failure_leaves_all_evidence_and_no_secret(app: App) -> None:
    app.write({"envctl.yaml": app.config(COMPONENTS, checks=""), "deploy/keys.yaml": SECRET,
               "deploy/web.yaml": CRASHING})  # fmt: skip
    done = app.run("up", "--diagnosis", "out", "--junit", "junit.xml", check=1)
    files = contents(app.folder / "out")
    assert "FATAL: no way on" in files["index.md"]
    assert done.json["failure"]["verdict"] in files["index.md"]
    assert "Deployment/web" in files["describe/Deployment-web.txt"]
    assert "secretKeyRef" in files["objects/Deployment-web.yaml"]
    assert "web" in files["events.txt"]
    assert "v1." in files["versions.txt"]
    logs = {name.rpartition("/")[2]: text for name, text in files.items() if "logs/" in name}
    assert "the first to speak" in logs["before.log"]
    assert "FATAL: no way on" in logs["web.log"]
    assert "have ***" in logs["web.log"]
    report = (app.folder / "junit.xml").read_text()
    everything = json.dumps([files, done.stdout, done.stderr, report])
    assert CANARY not in everything
    assert base64.b64encode(CANARY.encode()).decode() not in everything


def test_a_run_that_is_terminated_leaves_what_it_saw(app: App) -> None:
    app.write({"envctl.yaml": app.config(COMPONENTS, checks=""), "deploy/keys.yaml": SECRET,
               "deploy/web.yaml": CRASHING.replace("exit 127", "sleep 600")})  # fmt: skip
    running = app.envctl.start("up", "--name", "it", "-o", "json", "--diagnosis", "out")

    def speaks() -> bool:
        return "no way on" in app.kubectl.run("logs", "-l", "app=web", "-n", app.namespace).stdout

    until(speaks)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 143
    files = contents(app.folder / "out")
    assert "Terminated" in files["index.md"]
    assert "Deployment/web: 0 of 1 replicas ready" in files["index.md"]
    assert any("FATAL: no way on" in text for name, text in files.items() if "logs/" in name)
    assert CANARY not in json.dumps(files)


def test_a_run_that_succeeds_leaves_no_folder(app: App) -> None:
    app.up("--diagnosis", "out")
    assert not (app.folder / "out").exists()
