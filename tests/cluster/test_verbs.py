"""The verbs that look at an environment: list, status, logs, url, kubeconfig, doctor, schema."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import textwrap
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster import busybox
from tests.cluster.app import BUSYBOX, App, deployment, job
from tests.cluster.node import Envctl, kubectl_command
from tests.documents import SCHEMAS, check_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cluster.node import Kubectl, Node

# They share one environment, which would be made once more for each worker.
pytestmark = pytest.mark.xdist_group("verbs")

TALK = "i=0; while true; do i=$((i+1)); echo line $i of $HOSTNAME; sleep 1; done"
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: talker}
spec: {selector: {app: talker}, ports: [{port: 80}]}
"""
#: Not ready while it is told to be sick; its process ends when it is told to die.
MOODY = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: moody}}
spec:
  selector: {{matchLabels: {{app: moody}}}}
  template:
    metadata: {{labels: {{app: moody}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: moody
          image: "{BUSYBOX}"
          command: [sh, -c, "echo run; until [ -e /tmp/die ]; do sleep 0.2; done; exit 3"]
          readinessProbe: {{exec: {{command: [test, "!", -e, /tmp/sick]}}, periodSeconds: 1}}
"""
COMPONENTS = """\
  - {name: talker, manifests: [deploy/talker.yaml], expose: {service: talker, port: 80}}
  - {name: moody, manifests: [deploy/moody.yaml], timeout: 60s}
  - {name: once, job: deploy/once.yaml}
"""


@pytest.fixture(scope="module", autouse=True)
def _image(node: Node) -> None:
    if node.name:
        busybox.load(Envctl(node.kubeconfig), node.name)


@pytest.fixture(scope="module")
def app(node: Node, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An environment that is up: two pods that talk, one that is told how to be, a Job."""
    folder = tmp_path_factory.mktemp("verbs")

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(textwrap.dedent(text))
        return folder

    project = f"t-{uuid.uuid4().hex[:8]}"
    found = App(Envctl(node.kubeconfig, folder), node, kubectl, project, write)
    found.write(
        {
            "envctl.yaml": found.config(COMPONENTS, '{host: "${namespace}.localhost"}'),
            "deploy/talker.yaml": deployment("talker", BUSYBOX, replicas=2, command=TALK) + SERVICE,
            "deploy/moody.yaml": MOODY,
            "deploy/once.yaml": job("once", "echo migrated"),
        }
    )
    found.up()
    yield found
    label = f"envctl.dev/project={project}"
    kubectl.run("delete", "namespace", "-l", label, "--wait=false")
    kubectl.run("delete", "lease", "-n", "envctl-system", "-l", label, "--wait=false")


def _tell(app: App, command: str) -> None:
    """Run a shell line in the moody container."""
    done = app.kubectl.run(
        "exec", "deployment/moody", "-n", app.namespace, "--", "sh", "-c", command
    )
    assert done.returncode == 0, str(done)


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask until it holds; what it says then is the answer."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"it did not hold within {seconds:.0f} s"
        time.sleep(0.2)
    return found


# list


def test_list_needs_no_file_and_finds_each_environment(
    app: App, envctl: Envctl, tmp_path: Path
) -> None:
    for arguments in (("--project", app.project), ()):
        found = envctl("list", "--context", app.node.context, "-o", "json", *arguments, check=0)
        check_document("list", found.json)
        names = {(e["project"], e["name"], e["phase"]) for e in found.json["environments"]}
        assert (app.project, "it", "Ready") in names
        assert all(name for _, name, _ in names), "the namespace of the locks is no environment"
    assert not (tmp_path / "envctl.yaml").exists()


def test_list_twice_says_the_same(app: App) -> None:
    arguments = ("list", "--project", app.project, "-o", "json")
    first, second = app.envctl(*arguments, check=0), app.envctl(*arguments, check=0)
    assert first.stdout == second.stdout
    info = first.json["environments"][0]
    assert info["namespace"] == app.namespace
    assert info["createdAt"] <= info["lastUsedAt"] < info["expiresAt"]


def test_list_of_nothing(envctl: Envctl, node: Node, project: str) -> None:
    arguments = ("list", "--context", node.context, "--project", project)
    assert envctl(*arguments, "-o", "json", check=0).json == {"environments": []}
    assert envctl(*arguments, "-o", "text", check=0).stdout == "No environments.\n"


# status


def test_status_of_an_environment_that_is_well(app: App) -> None:
    document = app.run("status").json
    check_document("status", document)
    states = {c["name"]: c for c in document["components"]}
    assert states["talker"]["state"] == "ready"
    assert states["talker"]["type"] == "manifests"
    assert states["once"]["state"] == "ready"
    objects = {o["object"] for o in states["talker"]["objects"]}
    assert objects == {"Deployment/talker", "Service/talker", "Ingress/talker"}
    assert document["lock"] is None
    assert [(c["name"], c["result"]) for c in document["checks"]] == [("smoke", "passed")]
    quota = {q["resource"]: q for q in document["quota"]}
    assert int(quota["pods"]["used"]) >= 3
    assert quota["pods"]["hard"] == "60"
    assert document["urls"] == [document["environment"]["url"]]


def test_status_says_why_something_is_not_ready(app: App) -> None:
    _tell(app, "touch /tmp/sick")
    try:
        found = until(lambda: _moody(app)["state"] == "waiting" and _moody(app))
        reason = found["objects"][0]["reason"]
        assert "0 of 1 replicas ready" in reason
        assert "(moody)" in reason, "it names the container"
        text = app.envctl("status", "--name", "it", "-o", "text", check=0).stdout
        assert "Deployment/moody: 0 of 1 replicas ready" in text
    finally:
        _tell(app, "rm /tmp/sick")
    until(lambda: _moody(app)["state"] == "ready")


def _moody(app: App) -> Any:
    components = app.run("status").json["components"]
    return next(component for component in components if component["name"] == "moody")


def test_status_names_drift_and_who_made_it(app: App) -> None:
    app.kubectl.run("scale", "deployment/talker", "--replicas=3", "-n", app.namespace)
    drift = app.run("status").json["drift"]
    assert len(drift) == 1
    assert "Deployment/talker was edited by kubectl (spec.replicas)" in drift[0]
    app.up()
    assert app.run("status").json["drift"] == []


def test_status_shows_who_works_on_it(app: App, envctl: Envctl, project: str, write: Any) -> None:
    slow = "  - {name: slow, job: deploy/slow.yaml, timeout: 60s}\n"
    write(
        {
            "envctl.yaml": app.config(slow, checks="").replace(app.project, project),
            "deploy/slow.yaml": job("slow", "sleep 8"),
        }
    )
    running = envctl.start("up", "--name", "it", "-o", "json", env={"CI_PIPELINE_ID": "7"})
    try:
        document = until(lambda: _held(envctl))
        check_document("status", document)
        assert document["lock"]["run"]
        assert document["environment"]["phase"] == "Creating"
        assert document["components"][0]["state"] == "unfinished"
    finally:
        running.communicate(timeout=90)
        envctl("down", "--name", "it", check=0)


def _held(envctl: Envctl) -> Any:
    done = envctl("status", "--name", "it", "-o", "json")
    held = done.returncode == 0 and done.json["lock"] and done.json["components"]
    return done.json if held else None


@pytest.mark.parametrize("verb", ["status", "logs", "url", "kubeconfig"])
def test_an_environment_that_does_not_exist(
    envctl: Envctl, node: Node, project: str, verb: str
) -> None:
    done = envctl(
        verb, "--context", node.context, "--project", project, "--name", "none", "-o", "json",
        check=1,
    )  # fmt: skip
    check_document("error", done.json)
    assert "'none' does not exist" in done.json["error"]["what"]
    assert "envctl list" in done.json["error"]["next"]


# logs


def _lines(app: App, *arguments: str) -> list[dict[str, str]]:
    document = app.run("logs", *arguments).json
    check_document("logs", document)
    lines: list[dict[str, str]] = document["lines"]
    return lines


def test_logs_of_all_pods_are_merged_by_time(app: App) -> None:
    lines = _lines(app)
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    by_component: dict[str, set[str]] = {}
    for line in lines:
        by_component.setdefault(line["component"], set()).add(line["pod"])
    assert set(by_component) == {"talker", "moody", "once", "smoke"}
    assert len(by_component["talker"]) >= 2
    assert {line["line"] for line in lines if line["component"] == "once"} == {"migrated"}
    for pod in by_component["talker"]:
        said = [line["line"] for line in lines if line["pod"] == pod]
        assert said == [f"line {number} of {pod}" for number in range(1, len(said) + 1)]


def test_logs_of_one_component_the_last_lines_the_last_seconds(app: App) -> None:
    lines = _lines(app, "--component", "talker", "--tail", "2")
    pods = [line["pod"] for line in lines]
    assert {line["component"] for line in lines} == {"talker"}
    assert all(pods.count(pod) == 2 for pod in pods)
    assert _lines(app, "--component", "once", "--tail", "0") == []
    until(lambda: len(_lines(app, "--component", "talker")) > 20)
    recent = _lines(app, "--component", "talker", "--since", "3s")
    assert 0 < len(recent) < len(_lines(app, "--component", "talker"))


def test_logs_of_the_run_before_the_restart(app: App) -> None:
    _tell(app, "touch /tmp/die")
    lines = until(lambda: _lines(app, "--previous"))
    assert {line["component"] for line in lines} == {"moody"}
    assert "run" in {line["line"] for line in lines}
    until(lambda: _moody(app)["state"] == "ready")


def test_logs_refuse_what_makes_no_sense(app: App) -> None:
    unknown = app.run("logs", "--component", "tolker", check=2)
    assert "moody, once, smoke, talker" in unknown.json["error"]["why"]
    assert app.run("logs", "--previous", "--follow", check=2).json["error"]["next"]
    assert app.run("logs", "--since", "soon", check=2).json["error"]["next"]


def test_logs_follow_new_pods_and_restarts_until_ctrl_c(app: App, tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    with output.open("w") as file:
        process = subprocess.Popen(
            app.envctl.command("logs", "--name", "it", "--follow", "--since", "1s", "-o", "logfmt"),
            cwd=app.folder,
            env={**os.environ, "KUBECONFIG": str(app.node.kubeconfig)},
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until(lambda: "component=talker" in output.read_text())
            _tell(app, "touch /tmp/die")
            app.kubectl.run("scale", "deployment/talker", "--replicas=4", "-n", app.namespace)
            until(lambda: _talkers(output) >= 4)
            until(lambda: "component=moody" in output.read_text())
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
            app.up()
    assert process.returncode == 130
    assert said == "", "Ctrl-C is how one ends it: there is nothing to say"
    lines = [line.split('msg="', 1)[1].split('"')[0] for line in _talks(output)]
    assert len(lines) == len(set(lines)), "no line is shown twice"


def _talks(output: Path) -> list[str]:
    return [line for line in output.read_text().splitlines() if "component=talker" in line]


def _talkers(output: Path) -> int:
    return len({line.split("pod=")[1].split()[0] for line in _talks(output)})


def test_logs_end_with_their_reader(app: App) -> None:
    command = " ".join(app.envctl.command("logs", "--name", "it", "--follow", "-o", "text"))
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; exit ${{PIPESTATUS[0]}}"],
        cwd=app.folder, env={**os.environ, "KUBECONFIG": str(app.node.kubeconfig)},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_following_ends_with_the_environment(
    app: App, envctl: Envctl, project: str, write: Any
) -> None:
    only = "  - {name: talker, manifests: [deploy/talker.yaml]}\n"
    write(
        {
            "envctl.yaml": app.config(only, checks="").replace(app.project, project),
            "deploy/talker.yaml": deployment("talker", BUSYBOX, command=TALK),
        }
    )
    envctl("up", "--name", "it", check=0)
    following = envctl.start("logs", "--name", "it", "--follow", "-o", "json")
    envctl("down", "--name", "it", check=0)
    output, _ = following.communicate(timeout=30)
    assert following.returncode == 0
    lines = json.loads(output)["lines"]
    assert {line["component"] for line in lines} == {"talker"}


# url


def test_url_prints_nothing_but_the_url(app: App) -> None:
    done = app.envctl("url", "--name", "it", check=0)
    assert done.stdout.startswith(f"http://{app.namespace}.localhost")
    assert done.stdout.count("\n") == 1
    document = app.run("url").json
    check_document("url", document)
    assert document["url"] == done.stdout.strip()


def test_no_url_is_explained(envctl: Envctl, app: App, project: str, write: Any) -> None:
    only = "  - {name: config, manifests: [deploy/config.yaml]}\n"
    write(
        {
            "envctl.yaml": app.config(only, checks="").replace(app.project, project),
            "deploy/config.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}",
        }
    )
    envctl("up", "--name", "it", check=0)
    done = envctl("url", "--name", "it", "-o", "json", check=1)
    assert "has no URL" in done.json["error"]["what"]
    assert "environment.host" in done.json["error"]["next"]
    envctl("down", "--name", "it", check=0)


# kubeconfig


def _as(kubeconfig: Path, *arguments: str, context: str = "") -> subprocess.CompletedProcess[str]:
    chosen = ["--context", context] if context else []
    return subprocess.run(
        [*kubectl_command(), "--kubeconfig", str(kubeconfig), *chosen, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_credential_reaches_its_environment_and_nothing_else(app: App, tmp_path: Path) -> None:
    done = app.envctl("kubeconfig", "--name", "it", check=0)
    file = tmp_path / "kubeconfig"
    file.write_text(done.stdout)
    pods = until(lambda: _as(file, "get", "pods").stdout)
    assert "talker" in pods
    assert _as(file, "logs", "deployment/talker", "--tail=1").returncode == 0
    for refused in (
        ("get", "pods", "-n", "default"), ("get", "secrets"), ("get", "namespaces"),
        ("delete", "pod", "-l", "app=talker"), ("exec", "deployment/talker", "--", "id"),
        ("create", "token", "envctl-access-edit"),
    ):  # fmt: skip
        assert "forbidden" in _as(file, *refused).stderr.lower(), refused
    token = _token(done.stdout)
    assert token not in done.stderr


def _token(text: str) -> str:
    return next(line.split(":")[1].strip() for line in text.splitlines() if "token:" in line)


def test_a_credential_to_edit_may_try_things_out(app: App, tmp_path: Path) -> None:
    document = app.run("kubeconfig", "--role", "edit", "--ttl", "15m").json
    check_document("kubeconfig", document)
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(document["kubeconfig"]))
    until(lambda: _as(file, "get", "pods").returncode == 0)
    assert _as(file, "exec", "deployment/talker", "--", "echo", "hi").stdout == "hi\n"
    for guarded in ("resourcequota/envctl", "networkpolicy/envctl", "limitrange/envctl"):
        assert "Forbidden" in _as(file, "delete", guarded).stderr
    assert "Forbidden" in _as(file, "get", "secrets").stderr
    assert app.run("status").json["drift"] == []


def test_merging_touches_no_other_context(app: App, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text(app.node.kubeconfig.read_text())
    mine.chmod(0o644)
    (tmp_path / "link").symlink_to(mine)
    before = _as(mine, "config", "view", "--raw", "-o", "json").stdout
    name = f"envctl-{app.namespace}"
    for _ in range(2):
        done = app.run("kubeconfig", "--merge", env={"KUBECONFIG": str(tmp_path / "link")})
        check_document("kubeconfig", done.json)
        assert done.json["context"] == name
        assert done.json["kubeconfig"] is None
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE(mine.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "mine"]
    until(lambda: _as(mine, "get", "pods", context=name).returncode == 0)
    after = json.loads(_as(mine, "config", "view", "--raw", "-o", "json").stdout)
    for section in ("contexts", "clusters", "users"):
        after[section] = [entry for entry in after[section] if entry["name"] != name]
    assert after == json.loads(before)


def test_a_credential_is_kept_out_of_a_jobs_log_and_artifacts(app: App, tmp_path: Path) -> None:
    job_ = {"GITLAB_CI": "true", "CI_PROJECT_DIR": str(tmp_path), "CI_COMMIT_REF_NAME": "x"}
    printed = app.run("kubeconfig", check=77, env=job_)
    assert "job's log" in printed.json["error"]["what"]
    inside = tmp_path / "kubeconfig"
    inside.write_text(app.node.kubeconfig.read_text())
    merged = app.run("kubeconfig", "--merge", check=77, env={**job_, "KUBECONFIG": str(inside)})
    assert "checkout" in merged.json["error"]["what"]
    assert inside.read_text() == app.node.kubeconfig.read_text()


def test_a_credential_for_too_short_a_time(app: App) -> None:
    done = app.run("kubeconfig", "--ttl", "1m", check=2)
    assert "10m" in done.json["error"]["next"]


def test_an_account_of_somebody_else_is_left_alone(app: App) -> None:
    app.run("kubeconfig", "--role", "edit")  # whichever test runs first on this worker
    app.kubectl.run("label", "serviceaccount/envctl-access-edit", "-n", app.namespace,
                    "envctl.dev/name-", "--overwrite")  # fmt: skip
    try:
        done = app.run("kubeconfig", "--role", "edit", check=77)
        assert "belongs to somebody else" in done.json["error"]["what"]
    finally:
        app.kubectl.run("delete", "serviceaccount/envctl-access-edit", "-n", app.namespace)


# doctor


def test_doctor_finds_nothing_to_mend(app: App) -> None:
    document = app.envctl("doctor", "-o", "json", check=0).json
    check_document("doctor", document)
    found = {check["name"]: check for check in document["checks"]}
    assert set(found) >= {
        "file", "context", "cluster", "credential", "permissions", "system", "ingress", "storage",
        "helm", "kustomize", "ci",
    }  # fmt: skip
    assert found["permissions"]["result"] == "ok"
    assert found["storage"]["result"] == "ok"
    assert "v1." in found["cluster"]["detail"]


def test_doctor_names_the_rule_for_each_missing_permission(app: App, tmp_path: Path) -> None:
    document = app.run("kubeconfig").json
    file = tmp_path / "narrow"
    file.write_text(json.dumps(document["kubeconfig"]))
    until(lambda: _as(file, "get", "pods").returncode == 0)
    done = app.envctl(
        "doctor", "--context", document["context"], "--name", "it", "--project", app.project,
        "-o", "json", cwd=tmp_path, env={"KUBECONFIG": str(file)}, check=1,
    )  # fmt: skip
    check_document("doctor", done.json)
    failed = [check for check in done.json["checks"] if check["result"] == "fail"]
    rule = '{apiGroups: [""], resources: ["namespaces"], verbs: ["get", "list", "watch", "create"'
    assert any(rule in check["next"] for check in failed)
    assert all(check["name"] == "permissions" for check in failed)
    assert any('resources: ["leases"]' in check["next"] for check in failed)


def test_doctor_of_a_cluster_that_does_not_answer(app: App, tmp_path: Path) -> None:
    file = tmp_path / "dead"
    cluster = {"server": "https://127.0.0.1:9"}
    names = {"cluster": "kind-x", "user": "kind-x"}
    file.write_text(
        json.dumps(
            {
                "clusters": [{"name": "kind-x", "cluster": cluster}],
                "users": [{"name": "kind-x", "user": {"token": "x"}}],
                "contexts": [{"name": "kind-x", "context": names}],
            }
        )
    )
    done = app.envctl(
        "doctor", "--context", "kind-x", "-o", "json", cwd=tmp_path,
        env={"KUBECONFIG": str(file)}, check=1,
    )  # fmt: skip
    found = {check["name"]: check for check in done.json["checks"]}
    assert found["cluster"]["result"] == "fail"
    assert "does not answer" in found["cluster"]["detail"]
    assert "permissions" not in found
    assert found["file"]["result"] == "warn"


# schema


def test_schema_is_the_published_one(envctl: Envctl) -> None:
    done = envctl("schema", check=0)
    assert done.json == json.loads((SCHEMAS / "envctl.json").read_text())
