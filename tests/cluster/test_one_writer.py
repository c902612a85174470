"""Law 2: at most one run writes; a newer pipeline takes over, an older one says so and stops."""

from __future__ import annotations

import os
import signal
import time

from tests.cluster.app import App, deployment
from tests.until import until

NEVER_READY = deployment("web").replace(
    "IfNotPresent}", 'IfNotPresent, readinessProbe: {exec: {command: ["/none"]}}}'
)


def pipeline(number: int) -> dict[str, str]:
    """The variables of a GitLab job."""
    return {"GITLAB_CI": "true", "CI_PIPELINE_ID": str(number), "CI_COMMIT_REF_NAME": "main"}


def _holder(app: App) -> str:
    if not app.kubectl.exists("lease", app.namespace, "-n", "envctl-system"):
        return ""
    lease = app.kubectl("get", "lease", app.namespace, "-n", "envctl-system")
    return str(lease["spec"].get("holderIdentity", ""))


def test_a_newer_pipeline_takes_over_and_the_older_one_says_so(app: App) -> None:
    app.write({"deploy/web.yaml": NEVER_READY})
    older = app.envctl.start("up", "--name", "it", "-o", "json", env=pipeline(41))
    until(lambda: app.kubectl.exists("deployment", "web", "-n", app.namespace))
    app.write({"deploy/web.yaml": deployment("web")})
    began = time.monotonic()
    newer = app.up(env=pipeline(42))
    taken = time.monotonic() - began
    out, err = older.communicate(timeout=60)
    assert older.returncode == 79, err
    assert "Pipeline 42 has taken over" in out + err
    assert newer["result"] == "succeeded"
    assert newer["environment"]["pipeline"] == "42"
    assert taken < 60, "the older one lets go when asked; nobody waits for its lease to end"

    late = app.up(env=pipeline(41), check=79)
    assert late["result"] in ("superseded", "error")
    assert app.get("namespace", app.namespace)["metadata"]["annotations"][
        "envctl.dev/pipeline"
    ] == "42"  # fmt: skip


def test_two_runs_at_once_take_turns(app: App) -> None:
    one = app.envctl.start("up", "--name", "it", "-o", "json")
    two = app.envctl.start("up", "--name", "it", "-o", "json")
    for process in (one, two):
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert app.up()["result"] == "unchanged"


def test_a_dead_run_is_taken_over_after_its_lease_was_seen_to_pass(app: App) -> None:
    app.write({"deploy/web.yaml": NEVER_READY})
    process = app.envctl.start("up", "--name", "it", "-o", "json")
    until(lambda: app.kubectl.exists("deployment", "web", "-n", app.namespace))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert _holder(app)
    app.write({"deploy/web.yaml": deployment("web")})
    done = app.run("up")
    assert done.json["result"] == "succeeded"
    assert "taking it over" in done.stderr


def test_a_stopped_process_does_not_write_after_its_takeover(app: App) -> None:
    app.write({"deploy/web.yaml": NEVER_READY})
    process = app.envctl.start("up", "--name", "it", "-o", "json")
    until(lambda: app.kubectl.exists("deployment", "web", "-n", app.namespace))
    os.killpg(process.pid, signal.SIGSTOP)
    app.write({"deploy/web.yaml": deployment("web")})
    assert app.up()["result"] == "succeeded"
    before = app.kubectl("get", "namespace", app.namespace)["metadata"]["resourceVersion"]
    os.killpg(process.pid, signal.SIGCONT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (75, 79), err
    after = app.kubectl("get", "namespace", app.namespace)["metadata"]["resourceVersion"]
    assert after == before
    assert app.up()["result"] == "unchanged"


def test_a_lock_that_is_held_gives_75(app: App) -> None:
    app.write({"deploy/web.yaml": NEVER_READY})
    process = app.envctl.start("up", "--name", "it", "-o", "json")
    until(lambda: app.kubectl.exists("deployment", "web", "-n", app.namespace))
    try:
        done = app.run("down", "--lock-timeout", "2s", check=75)
        assert "Another run works on it" in done.stdout + done.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
