"""Law 1: every verb run twice does what it does once, and a killed run is taken up again."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.app import App, deployment
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Callable


def test_every_verb_twice(app: App) -> None:
    first = app.up()
    assert first["result"] == "succeeded"
    assert [c["changed"] for c in first["components"]] == [True, True, True]
    assert first["checks"][0]["result"] == "passed"
    state, versions = app.state(), _versions(app)

    second = app.up()
    assert second["result"] == "unchanged"
    assert [c["changed"] for c in second["components"]] == [False, False, False]
    assert second["checks"][0]["result"] == "unchanged"
    assert _versions(app) == versions, "a second up writes to nothing but the record"
    assert second["apiRequests"] <= 20

    for verb in ("create", "deploy"):
        for _ in range(2):
            assert app.run(verb).json["result"] == "unchanged"
    for _ in range(2):
        assert app.run("test").json["checks"][0]["result"] == "passed"
    assert app.state() == state

    assert app.down()["result"] == "gone"
    assert not app.kubectl.exists("namespace", app.namespace)
    assert app.down()["result"] == "absent"


def _versions(app: App) -> dict[str, str]:
    kinds = "configmaps,secrets,services,deployments,serviceaccounts,limitranges,networkpolicies"
    return {
        f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"]
        for o in app.kubectl.items(kinds, "-n", app.namespace)
        if o["metadata"]["name"] != "envctl-record"
    }


def test_stages_one_after_the_other(app: App) -> None:
    absent = app.run("deploy", check=1)
    assert "does not exist" in absent.json["failure"]["verdict"]
    assert app.run("create").json["result"] == "succeeded"
    assert app.kubectl.items("deployments", "-n", app.namespace) == []
    assert app.run("deploy").json["result"] == "succeeded"
    assert app.kubectl.items("jobs", "-n", app.namespace) == []
    assert app.run("test").json["checks"][0]["result"] == "passed"


def test_drift_is_found_named_and_put_back(app: App) -> None:
    app.up()
    state = app.state()
    namespace = app.namespace
    app.kubectl.run("delete", "configmap", "settings", "-n", namespace)
    app.kubectl.run("scale", "deployment", "web", "--replicas=3", "-n", namespace)
    patch = '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":9}}}}'
    app.kubectl.run("patch", "deployment", "worker", "-n", namespace, "-p", patch)

    planned = app.run("plan", "--detailed-exitcode", check=3).json
    assert any("ConfigMap/settings was deleted" in text for text in planned["drift"])
    assert any("Deployment/web was edited" in text for text in planned["drift"])
    worker = next(text for text in planned["drift"] if "Deployment/worker" in text)
    assert "kubectl" in worker
    assert "terminationGracePeriodSeconds" in worker

    done = app.run("up")
    assert done.json["result"] == "succeeded"
    assert "ConfigMap/settings was deleted" in done.stderr
    assert app.state() == state
    assert app.run("plan", "--detailed-exitcode").json["drift"] == []


def test_what_left_the_source_is_pruned(app: App) -> None:
    app.up()
    app.write({"deploy/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"})
    app.up()
    names = {o["metadata"]["name"] for o in app.kubectl.items("configmaps", "-n", app.namespace)}
    assert names == {"other", "envctl-record", "kube-root-ca.crt"}
    assert not app.kubectl.exists("secret", "keys", "-n", app.namespace)

    app.write({"envctl.yaml": app.config("  - {name: web, manifests: [deploy/web.yaml]}\n")})
    app.up()
    names = {o["metadata"]["name"] for o in app.kubectl.items("deployments", "-n", app.namespace)}
    assert names == {"web"}, "a component that left the file is taken away"
    assert not app.kubectl.exists("configmap", "other", "-n", app.namespace)


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_a_random_moment_and_run_again(app: App, seed: int) -> None:
    app.write({"deploy/web.yaml": deployment("web", replicas=2)})
    process = app.envctl.start("up", "--name", "it", "-o", "json")
    moment = random.Random(seed).uniform(0.6, 2.2)
    _pass(process.poll, moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    again = app.up()
    assert again["result"] in ("succeeded", "unchanged")
    killed = app.state()
    assert app.up()["result"] == "unchanged"
    assert app.down()["result"] == "gone"

    app.up()
    assert app.state() == killed, "the same end state as a run that nobody killed"


def _pass(ended: Callable[[], int | None], seconds: float) -> None:
    """Let a process run for a while: the moment of the kill is the test's input."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and ended() is None:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_leaves_no_lock_and_no_child(app: App, number: int, code: int) -> None:
    never = deployment("web").replace(
        "IfNotPresent}", 'IfNotPresent, readinessProbe: {exec: {command: ["/none"]}}}'
    )
    app.write({"deploy/web.yaml": never})
    process = app.envctl.start("up", "--name", "it", "-o", "json")
    until(lambda: app.kubectl.exists("deployment", "web", "-n", app.namespace))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert "lock is released" in err
    assert '"exitCode"' in out
    lease = app.kubectl("get", "lease", app.namespace, "-n", "envctl-system")
    assert lease["spec"].get("holderIdentity", "") == ""
    app.write({"deploy/web.yaml": deployment("web")})
    assert app.up()["result"] == "succeeded", "the next run need not wait for the lock"


def test_another_folder_without_the_file(app: App) -> None:
    app.up()
    assert app.down()["result"] == "gone"


def test_down_of_a_half_made_environment(app: App) -> None:
    missing = deployment("web", image="docker.io/envctl/none:1").replace("IfNotPresent", "Never")
    app.write({"deploy/web.yaml": missing})
    failed = app.up(check=1)
    assert failed["result"] == "failed"
    assert app.down()["result"] == "gone"
