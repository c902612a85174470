"""Helm releases: real ones, repaired when a run was killed, with Helm 4 and Helm 3."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.cluster.app import BUSYBOX, PAUSE, App
from tests.cluster.node import tool
from tests.until import until

pytestmark = pytest.mark.timeout(600)

CHART = "apiVersion: v2\nname: slow\nversion: 0.1.0\n"
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {note: {{ .Values.note | quote }}}}
spec:
  replicas: 1
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: main, image: "PAUSE"}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: {{ .Release.Name }}-data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
""".replace("PAUSE", PAUSE)
HOOK = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: "EVENTS"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: hook, image: "BUSYBOX", command: ["/bin/sh", "-c", "COMMAND"]}]
""".replace("BUSYBOX", BUSYBOX)


def hook(events: str, command: str) -> str:
    """A Job that Helm runs at these events."""
    return HOOK.replace("EVENTS", events).replace("COMMAND", command)


@pytest.fixture(params=["helm", "helm3"])
def app(app: App, request: pytest.FixtureRequest) -> App:
    """The application as one release, by Helm 4 and by Helm 3."""
    app.env = {"ENVCTL_HELM": tool(request.param)}
    app.write(
        {
            "chart/Chart.yaml": CHART,
            "chart/values.yaml": "note: one\n",
            "chart/templates/workload.yaml": WORKLOAD,
            "envctl.yaml": release(app, "one"),
        }
    )
    return app


def release(app: App, note: str) -> str:
    """An envctl.yaml of one release."""
    return app.config(
        f"  - {{name: slow, helm: {{chart: chart, values: [{{note: {note}}}]}}, timeout: 90s}}\n",
        checks="",
    )


def _statuses(app: App) -> list[str]:
    found = app.kubectl.items("secrets", "-n", app.namespace, "-l", "owner=helm")
    return [secret["metadata"]["labels"]["status"] for secret in found]


def _kill_all(app: App, pid: int) -> None:
    """Kill envctl and its helm, which runs in a session of its own, as a dying node would."""
    os.killpg(pid, signal.SIGKILL)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if app.namespace.encode() in command and b"upgrade" in command:
            os.kill(int(process.name), signal.SIGKILL)


def _killed_while(app: App, status: str) -> None:
    process = app.envctl.start("up", "--name", "it", "-o", "json", env=app.env)
    until(lambda: status in _statuses(app))
    _kill_all(app, process.pid)
    process.communicate()
    assert status in _statuses(app)


def test_a_release_of_helms_own_and_its_drift(app: App) -> None:
    assert app.up(env=app.env)["result"] == "succeeded"
    assert _statuses(app) == ["deployed"]
    assert app.up(env=app.env)["result"] == "unchanged"
    assert _statuses(app) == ["deployed"], "nothing changed, so no new revision"
    app.kubectl.run("scale", "deployment", "slow", "--replicas=2", "-n", app.namespace)
    done = app.run("up", env=app.env)
    assert "Deployment/slow was edited" in done.stderr
    assert app.get("deployment", "slow")["spec"]["replicas"] == 1
    assert app.up(env=app.env)["result"] == "unchanged"


def test_killed_in_the_middle_of_an_install(app: App, tmp_path: Path) -> None:
    app.write({"chart/templates/hook.yaml": hook("post-install", "sleep 20")})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    app.env["TMPDIR"] = str(temporary)
    _killed_while(app, "pending-install")
    assert not list(temporary.iterdir()), "neither the kubeconfig's key nor the release's values"
    claim = app.get("pvc", "slow-data")["metadata"]["uid"]
    app.write({"chart/templates/hook.yaml": hook("post-install", "true")})
    done = app.run("up", env=app.env)
    assert done.json["result"] == "succeeded"
    assert "pending-install" in done.stderr
    assert app.get("pvc", "slow-data")["metadata"]["uid"] == claim, "its data was not deleted"
    assert "deployed" in _statuses(app)
    assert app.up(env=app.env)["result"] == "unchanged"


def test_killed_in_the_middle_of_an_upgrade(app: App) -> None:
    app.up(env=app.env)
    claim = app.get("pvc", "slow-data")["metadata"]["uid"]
    app.write({"chart/templates/hook.yaml": hook("pre-upgrade", "sleep 20")})
    _killed_while(app, "pending-upgrade")
    app.write(
        {
            "chart/templates/hook.yaml": hook("pre-upgrade", "true"),
            "envctl.yaml": release(app, "two"),
        }
    )
    done = app.run("up", env=app.env)
    assert done.json["result"] == "succeeded"
    assert "pending-upgrade" in done.stderr
    assert app.get("deployment", "slow")["metadata"]["labels"]["note"] == "two"
    assert app.get("pvc", "slow-data")["metadata"]["uid"] == claim
    assert app.up(env=app.env)["result"] == "unchanged"


def test_a_hook_that_fails_is_explained(app: App) -> None:
    app.write({"chart/templates/hook.yaml": hook("pre-install", "echo no table; exit 3")})
    failed = app.up(check=1, env=app.env)
    assert "slow" in failed["failure"]["verdict"]
    app.write({"chart/templates/hook.yaml": hook("pre-install", "true")})
    assert app.up(env=app.env)["result"] == "succeeded"


def test_delete_hooks_run_and_cannot_hold_the_environment(app: App) -> None:
    app.write({"chart/templates/hook.yaml": hook("pre-delete", "true")})
    app.up(env=app.env)
    done = app.run("down", env=app.env)
    assert done.json["result"] == "gone"
    assert not app.kubectl.exists("namespace", app.namespace)


def test_a_signal_ends_helm_too(app: App) -> None:
    app.write({"chart/templates/hook.yaml": hook("pre-install", "sleep 60")})
    process = app.envctl.start("up", "--name", "it", "-o", "json", env=app.env)
    until(lambda: "pending-install" in _statuses(app))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not _mentioning(app.namespace), "no child is left behind"


def test_a_second_interrupt_stops_at_once(app: App, tmp_path: Path) -> None:
    deaf = tmp_path / "deaf-helm"
    real = app.env["ENVCTL_HELM"]
    deaf.write_text(
        f"#!/bin/sh\ncase $1 in upgrade) trap '' TERM INT; touch {tmp_path}/deaf; sleep 60;;\n"
        f'*) exec {real} "$@";; esac\n'
    )
    deaf.chmod(0o755)
    process = app.envctl.start("up", "--name", "it", "-o", "json", env={"ENVCTL_HELM": str(deaf)})
    until((tmp_path / "deaf").exists)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    until(lambda: process.poll() is not None or time.monotonic() - began > 0.5)
    assert process.poll() is None, "the first interrupt lets helm end"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 8, "nobody waited for the helm that does not listen"
    # Killed, and dead as soon as the kernel comes to it.
    assert until(lambda: not _mentioning(str(deaf)), seconds=5), "and it is gone"


def _mentioning(word: str) -> list[str]:
    """Processes with the word in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if word.encode() in command:
            found.append(process.name)
    return found


@pytest.mark.parametrize("app", ["helm"], indirect=True)  # Helm 3 takes it, and says nothing
def test_a_field_that_no_kind_has_is_named(app: App) -> None:
    """By the server, which Helm 4 lets apply: Helm itself is not asked to look for such."""
    chart = WORKLOAD.replace("  replicas: 1", "  replicasss: 1")
    app.write({"chart/templates/workload.yaml": chart})
    done = app.run("up", check=1, env=app.env)
    assert "replicasss" in done.stdout


def test_a_chart_that_does_not_render_says_where(app: App) -> None:
    app.write({"chart/templates/bad.yaml": "a: {{ .Values.missing.thing }}\n"})
    done = app.run("up", check=2, env=app.env)
    assert "bad.yaml:1" in done.stdout
    assert "Traceback" not in done.stderr
    assert not app.kubectl.exists("namespace", app.namespace), "nothing was touched"
