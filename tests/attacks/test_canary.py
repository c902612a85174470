"""Secrets stay secret (law 8): a canary for each place that holds one, looked for everywhere else.

What envctl prints, leaves as artifacts, starts as programs, writes into the cluster and leaves in
the folder for temporary files is searched for each of them, in base64 and URL-encoded, too.
"""

from __future__ import annotations

import json
import secrets as randomness
import signal
from typing import TYPE_CHECKING

import pytest

from tests.attacks.watched import environment, forms, found_in
from tests.cluster.app import BUSYBOX, deployment, job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.app import App
    from tests.cluster.node import Finished

PLACES = ("manifest", "manifest-data", "chart", "values", "registry", "forge", "variable")


def canary(place: str) -> str:
    """Not guessable, and with what quoting changes."""
    return f"cnry+{place}/&{randomness.token_hex(12)}"


@pytest.fixture
def canaries() -> dict[str, str]:
    return {place: canary(place) for place in PLACES}


class Watched:
    """The application with its canaries, run so that everything is seen."""

    def __init__(self, app: App, folder: Path, canaries: dict[str, str]) -> None:
        from envctl.adapters.local.lookup import tool_folders

        self.app, self.canaries = app, canaries
        self.folder = folder / "watched"
        self.folder.mkdir()
        tools = next(f for f in tool_folders() if (f / "helm").exists())
        self.env = environment(self.folder, tools) | {
            "GITLAB_CI": "true",
            "CI_COMMIT_REF_NAME": "fix",
            "CI_PROJECT_ID": "7",
            "CI_SERVER_URL": "https://127.0.0.1:9",
            "CI_API_V4_URL": "https://127.0.0.1:9/api/v4",
            "ENVCTL_FORGE_TOKEN": canaries["forge"],
            "DEPLOY_PASSWORD": canaries["variable"],
        }
        self.out = self.folder / "artifacts"
        self.out.mkdir()
        self._lay_out()

    def _lay_out(self) -> None:
        import base64

        c = self.canaries
        docker = {"auths": {"registry.example": {"username": "u", "password": c["registry"]}}}
        encoded = base64.b64encode(json.dumps(docker).encode()).decode()
        data = base64.b64encode(c["manifest-data"].encode()).decode()
        self.app.write(
            {
                "deploy/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\n"
                f"stringData: {{password: {json.dumps(c['manifest'])}}}\ndata: {{other: {data}}}\n",
                "deploy/pull.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: pull}\n"
                f"type: kubernetes.io/dockerconfigjson\ndata: {{.dockerconfigjson: {encoded}}}\n",
                "deploy/web.yaml": deployment("web"),
                "chart/Chart.yaml": "apiVersion: v2\nname: db\nversion: 0.1.0\n",
                "chart/values.yaml": f"fixed: {json.dumps(c['chart'])}\npassword: none\n",
                "chart/templates/secret.yaml": "apiVersion: v1\nkind: Secret\n"
                "metadata: {name: db}\nstringData:\n  fixed: {{ .Values.fixed | quote }}\n"
                "  password: {{ .Values.password | quote }}\n",
                "db.yaml": f"password: {json.dumps(c['values'])}\n",
            }
        )
        self.configure()

    def configure(self, more: str = "") -> None:
        """The components, and others that a case adds."""
        self.app.write(
            {
                "envctl.yaml": self.app.config(
                    "  - {name: config, manifests: [deploy/secret.yaml, deploy/pull.yaml]}\n"
                    "  - {name: db, helm: {chart: chart, values: [db.yaml]}, timeout: 60s}\n"
                    "  - {name: web, needs: [config], manifests: [deploy/web.yaml], timeout: 60s}\n"
                    + more,
                    checks="",
                )
            }
        )

    def run(self, *arguments: str, mode: str = "json", **env: str) -> Finished:
        """Run a verb on the environment ``it``."""
        return self.app.envctl(
            *arguments, "--name", "it", "-o", mode, env=self.env | env, timeout=200
        )

    def up(self, *, mode: str = "json", **env: str) -> Finished:
        """``up`` with every artifact that there is."""
        files = (("--junit", "j.xml"), ("--dotenv", "d.env"), ("--annotations", "a.json"),
                 ("--metrics-file", "m.txt"), ("--diagnosis", "diagnosis"))  # fmt: skip
        options = [part for name, file in files for part in (name, str(self.out / file))]
        return self.run("up", *options, mode=mode, **env)

    def search(self, *runs: Finished) -> None:
        """Assert that no canary is where it should not be."""
        texts = {f"output of {' '.join(run.args)}": run.stdout + run.stderr for run in runs}
        started = self.folder / "argv"
        assert started.exists() or not any(run.returncode == 0 for run in runs)
        for path in (*self.out.rglob("*"), started, *self._temporary()):
            if path.is_file():
                texts[str(path)] = path.read_text("utf-8", "replace")
        texts["the cluster"] = self._cluster()
        seen = {where: found for where, text in texts.items() if (found := self._found(text))}
        assert not seen

    def _found(self, text: str) -> list[str]:
        return found_in(text, self.canaries)

    def _temporary(self) -> list[Path]:
        """What is left of temporary files: nothing but the traceback of a bug."""
        left = [path for path in (self.folder / "tmp").rglob("*") if path.is_file()]
        assert all(path.suffix in (".txt", ".log") for path in left), left
        return left

    def _cluster(self) -> str:
        """Everything in the environment but its Secrets, whose metadata counts as well."""
        kinds = ("configmaps,pods,events,deployments,replicasets,services,serviceaccounts,"
                 "resourcequotas,limitranges,networkpolicies,jobs,rolebindings")  # fmt: skip
        found = self.app.kubectl.items(kinds, "-n", self.app.namespace)
        hidden = self.app.kubectl.items("secrets", "-n", self.app.namespace)
        leases = self.app.kubectl.items("leases", "-n", "envctl-system")
        namespaces = self.app.kubectl.items("namespaces")
        metadata = [obj["metadata"] for obj in hidden]
        return json.dumps([found, metadata, leases, namespaces], ensure_ascii=False)


@pytest.fixture
def watched(app: App, tmp_path: Path, canaries: dict[str, str]) -> Watched:
    return Watched(app, tmp_path, canaries)


def test_a_form_is_found_wherever_it_lies() -> None:
    import base64

    secret = canary("test")
    for before in ("", "a", "ab", "abc"):
        encoded = base64.b64encode(f"{before}{secret}, and more".encode()).decode()
        assert found_in(encoded, {"s": secret}), before
    assert len(set(forms(secret))) >= 6
    assert not found_in("nothing", {"s": secret})


def test_a_good_life(watched: Watched) -> None:
    """Created, looked at from all sides, changed, and taken away."""
    runs = [watched.run("plan"), watched.run("plan", mode="text"), watched.up()]
    assert runs[-1].returncode == 0, str(runs[-1])
    for name in list(watched.canaries):
        if name.startswith(("manifest", "values")):
            watched.canaries[f"{name}-new"] = canary(name)
    old = dict(watched.canaries)
    for name in ("manifest", "manifest-data", "values"):
        watched.canaries[name] = watched.canaries.pop(f"{name}-new")
    watched._lay_out()
    watched.canaries |= {f"old-{name}": secret for name, secret in old.items()}
    runs += [watched.run(verb) for verb in ("plan", "status", "doctor", "logs", "extend")]
    runs.append(watched.run("plan", mode="text"))
    runs += [watched.up(mode="logfmt", CI_MERGE_REQUEST_IID="7"), watched.up(mode="text")]
    watched.search(*runs)
    watched.search(watched.run("down"))


def test_failures(watched: Watched) -> None:
    """A program that prints what it was given and dies, a Secret that the server refuses."""
    env = "{name: PASSWORD, valueFrom: {secretKeyRef: {name: keys, key: password}}}"
    loud = deployment("loud", BUSYBOX, command="echo password is $PASSWORD; exit 3")
    probe = 'readinessProbe: {exec: {command: ["false"]}}'
    crash = loud.replace(", command", f", {probe}, env: [{env}], command")
    told = job("tell", "echo password is $PASSWORD; exit 1")
    told = told.replace(", command", f", env: [{env}], command")
    bad = json.dumps(watched.canaries["manifest"])
    watched.app.write(
        {
            "deploy/loud.yaml": crash,
            "deploy/tell.yaml": told,
            "deploy/bad.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: bad}\n"
            f"data: {{password: {bad}}}\n",
            "broken/Chart.yaml": "apiVersion: v2\nname: broken\nversion: 0.1.0\n",
            "broken/templates/a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: broken}\n"
            "data: {password: {{ .Values.password | quote }}}\n",
        }
    )
    cases = (
        "  - {name: loud, needs: [config], manifests: [deploy/loud.yaml], timeout: 90s}\n",
        "  - {name: tell, needs: [config], job: deploy/tell.yaml, timeout: 90s}\n",
        "  - {name: bad, manifests: [deploy/bad.yaml]}\n",
        "  - {name: broken, helm: {chart: broken, values: [db.yaml]}, timeout: 30s}\n",
    )
    runs = []
    for case in cases:
        watched.configure(case)
        runs.append(watched.up())
        assert runs[-1].returncode not in (0, 70), str(runs[-1])
        if "loud" in case:
            runs += [watched.run("logs", mode=mode) for mode in ("json", "text", "logfmt")]
            assert all("password is" in run.stdout for run in runs[-3:]), str(runs[-1])
            runs.append(watched.run("logs", "--previous"))
    watched.search(*runs)


def test_a_secret_made_while_its_environment_is_followed(watched: Watched) -> None:
    """What a Secret holds that was not there when `logs --follow` began."""
    watched.configure()
    assert watched.up().returncode == 0
    app, late = watched.app, canary("late")
    command = ("logs", "--name", "it", "--follow", "-o", "logfmt")
    with app.envctl.start(*command, env=watched.env) as following:
        assert following.stdout is not None
        loud = deployment("first", BUSYBOX, command="echo hello; sleep 600")
        app.kubectl.apply(loud, "-n", app.namespace)
        said = following.stdout.readline()  # it is following
        app.kubectl.apply(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: late}\n"
            f"stringData: {{password: {json.dumps(late)}}}\n",
            "-n", app.namespace,
        )  # fmt: skip
        env = "{name: PASSWORD, valueFrom: {secretKeyRef: {name: late, key: password}}}"
        second = deployment("second", BUSYBOX, command="echo password is $PASSWORD; sleep 600")
        app.kubectl.apply(
            second.replace(", command", f", env: [{env}], command"), "-n", app.namespace
        )
        while "password is" not in said:
            said += following.stdout.readline() or pytest.fail(f"it ended after: {said}")
        following.send_signal(signal.SIGINT)
        said += following.communicate(timeout=20)[0]
    assert not found_in(said, {"late": late}), said


def test_a_bug(watched: Watched) -> None:
    """A traceback goes to a file: it quotes envctl's code, not what it worked on."""
    done = watched.up(CANARY_BUG="1")
    assert done.returncode == 70, str(done)
    assert watched._temporary(), "where is the traceback?"
    watched.search(done)
