"""Every wrong input ends in one clear error with the right exit code, and nothing is touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cluster.app import App, deployment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.node import Finished


def refused(app: App, code: int, *words: str, **options: dict[str, str]) -> Finished:
    """Run ``up``, expect the code and the words, and that no namespace was made."""
    done = app.run("up", check=code, **options)
    said = json.loads(done.stdout)
    text = json.dumps(said, ensure_ascii=False) + done.stderr
    for word in words:
        assert word in text, f"{word!r} is not in {text}"
    assert "Traceback" not in done.stderr
    assert not app.kubectl.exists("namespace", app.namespace), "nothing was touched"
    return done


BASE = "  - {name: config, manifests: [deploy/config.yaml]}\n"

FILES = {
    "unknown key": (BASE.replace("manifests", "manifest"), "did you mean 'manifests'?"),
    "wrong type": ("  - {name: config, manifests: 3}\n", "is a whole number, expected a list"),
    "duplicate key": (
        "  - {name: config, name: other, manifests: [deploy/config.yaml]}\n",
        "stands twice",
    ),
    "cycle": (
        (
            "  - {name: a, needs: [b], manifests: [deploy/config.yaml]}\n"
            "  - {name: b, needs: [a], manifests: [deploy/web.yaml]}\n"
        ),
        "goes in a circle: ",
    ),
    "missing need": (
        "  - {name: a, needs: [nobody], manifests: [deploy/config.yaml]}\n",
        "needs 'nobody', which does not exist",
    ),
    "missing chart": ("  - {name: a, helm: {chart: nowhere}}\n", "there is no chart in 'nowhere'"),
    "no version": (
        "  - {name: a, helm: {chart: 'oci://registry.example.org/a'}}\n",
        "has no version",
    ),
    "outside": (
        "  - {name: a, manifests: [../../../etc/*.yaml]}\n",
        "leads outside the repository",
    ),
    "missing file": ("  - {name: a, job: none.yaml}\n", "the file 'none.yaml' does not exist"),
    "two sources": (
        "  - {name: a, job: tests/smoke.yaml, manifests: [deploy/web.yaml]}\n",
        "exactly one of",
    ),
    "long component": (
        f"  - {{name: {'x' * 60}, manifests: [deploy/config.yaml]}}\n",
        "Helm's 53 characters",
    ),
    "negative timeout": (
        "  - {name: a, timeout: -5m, manifests: [deploy/config.yaml]}\n",
        "It is negative",
    ),
    "unknown variable": (
        '  - {name: a, manifests: ["${nam}.yaml"]}\n',
        "did you mean ${name}?",
    ),
}


@pytest.mark.parametrize("case", FILES, ids=str)
def test_wrong_files(app: App, case: str) -> None:
    components, words = FILES[case]
    app.write({"envctl.yaml": app.config(components, checks="")})
    done = refused(app, 2, words, "envctl.yaml:")
    assert app.run("validate", check=2).returncode == done.returncode


CHECKS = {
    "missing program": ("command: [no-such-program]", "The command of the check 'smoke'"),
    "no Job": ("job: deploy/web.yaml", "web.yaml is not one Job"),
}


@pytest.mark.parametrize("case", CHECKS, ids=str)
def test_a_check_that_cannot_start_is_refused_before_anything_is_deployed(
    app: App, case: str
) -> None:
    check, words = CHECKS[case]
    checks = f"  - {{name: smoke, {check}}}\n"
    app.write({"envctl.yaml": app.config(BASE, checks=checks)})
    refused(app, 2, words, env={"ENVCTL_COMMANDS": "allow"})


def test_a_yaml_bomb(app: App) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    app.write({"envctl.yaml": "\n".join(lines) + "\n"})
    done = refused(app, 2, "this YAML is refused")
    assert done.seconds < 60


def test_a_manifest_bomb(app: App) -> None:
    lines = ["apiVersion: v1", "kind: ConfigMap", "metadata: {name: bomb}", "data:"]
    lines.append("  a0: &a0 [x, x, x, x, x, x, x, x, x, x]")
    lines += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    app.write({"deploy/config.yaml": "\n".join(lines) + "\n"})
    refused(app, 2, "aliases")


@pytest.mark.parametrize("one", ["[", "- "])
def test_a_manifest_that_is_nested_without_end(app: App, one: str) -> None:
    """The parser, which calls itself in C, would end the process without a word."""
    app.write({"deploy/config.yaml": one * 60_000})
    refused(app, 2, "nested too deep", "config.yaml:1")


def test_a_file_of_50_mb(app: App) -> None:
    (app.folder / "envctl.yaml").write_text("a: b\n" * 10_500_000)
    done = refused(app, 2, "larger than 1024 KiB")
    assert done.seconds < 60


def test_a_kind_that_the_cluster_lacks(app: App) -> None:
    app.write({"deploy/config.yaml": "apiVersion: v1\nkind: Deploymnt\nmetadata: {name: a}\n"})
    refused(app, 1, "the cluster has no kind 'Deploymnt'", "Did you mean 'Deployment'?")


def test_an_object_that_names_another_namespace(app: App) -> None:
    app.write(
        {
            "deploy/config.yaml": "apiVersion: v1\nkind: ConfigMap\n"
            "metadata: {name: a, namespace: kube-system}\n"
        }
    )
    refused(app, 77, "names the namespace 'kube-system'")
    assert not app.kubectl.exists("configmap", "a", "-n", "kube-system")


def test_a_cluster_scoped_object(app: App) -> None:
    app.write({"deploy/config.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: mine}\n"})
    refused(app, 77, "lies outside the namespace", "ENVCTL_CLUSTER_SCOPED")


def test_two_components_that_own_one_object(app: App) -> None:
    app.write(
        {
            "envctl.yaml": app.config(
                BASE + "  - {name: other, manifests: [deploy/config.yaml]}\n", checks=""
            )
        }
    )
    refused(app, 2, "'config' and 'other' both own ConfigMap/settings")


def test_a_guardrail_cannot_be_replaced(app: App) -> None:
    app.write(
        {
            "deploy/config.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
            "metadata: {name: envctl}\nspec: {podSelector: {}}\n"
        }
    )
    refused(app, 77, "which is a guardrail of envctl")


def test_a_name_that_is_too_long(app: App) -> None:
    done = app.envctl("up", "--name", "x" * 70, "-o", "json", check=2)
    assert "is too long" in done.json["error"]["what"]
    assert "63 characters" in done.json["error"]["why"]


def test_a_context_that_does_not_exist_or_is_not_allowed(app: App) -> None:
    app.write({"envctl.yaml": app.config().replace(app.node.context, "nowhere")})
    refused(app, 2, "The context 'nowhere' does not exist", app.node.context)
    app.write({"envctl.yaml": app.config()})
    refused(app, 77, "is not allowed", env={"ENVCTL_ALLOWED_CONTEXTS": "other"})
    done = app.run("up", "--context", "production", check=77)
    assert "is not allowed" in done.json["error"]["what"]


def kubeconfig(app: App, path: Path, **changes: str) -> dict[str, str]:
    """A copy of the node's kubeconfig with another server or credential."""
    import yaml

    config = yaml.safe_load(app.node.kubeconfig.read_text())
    if "server" in changes:
        for item in config["clusters"]:
            item["cluster"]["server"] = changes["server"]
    if "token" in changes:
        for item in config["users"]:
            item["user"] = {"token": changes["token"]}
    path.write_text(yaml.safe_dump(config))
    return {"KUBECONFIG": str(path)}


def test_an_expired_credential(app: App, tmp_path: Path) -> None:
    env = kubeconfig(app, tmp_path / "expired", token="not-a-token")
    done = refused(app, 77, "does not accept the credential", "renew the token", env=env)
    assert "not-a-token" not in done.stdout + done.stderr


def test_a_cluster_that_does_not_answer(app: App, tmp_path: Path) -> None:
    env = kubeconfig(app, tmp_path / "away", server="https://127.0.0.1:9")
    done = refused(app, 75, "does not answer", "127.0.0.1:9", env=env)
    assert "level=warning msg=retrying" in done.stderr or done.seconds < 60


def test_no_permission(app: App, tmp_path: Path) -> None:
    app.up()
    account = f"{app.project}-nobody"
    app.kubectl.run("create", "serviceaccount", account, "-n", app.namespace)
    token = app.kubectl.run("create", "token", account, "-n", app.namespace).stdout.strip()
    env = kubeconfig(app, tmp_path / "narrow", token=token)
    done = app.run("up", check=77, env=env)
    text = done.stdout + done.stderr
    assert "may not" in text
    assert "apiGroups" in text, "the rule to add is there"
    assert "leases" in text
    assert token not in text


def test_a_quota_that_is_exceeded(app: App) -> None:
    app.write(
        {
            "envctl.yaml": app.config(
                "  - {name: web, manifests: [deploy/web.yaml], timeout: 20s}\n",
                environment='{quota: {pods: "0"}}',
                checks="",
            )
        }
    )
    failed = app.up(check=1)  # at once: what asks for more than there is in all waits in vain
    said = json.dumps(failed["failure"])
    assert "ResourceQuota/envctl has no room" in said
    assert "exceeded quota" in said
    assert failed["seconds"] < 15
    assert "environment.quota" in failed["failure"]["next"]


def test_a_quota_on_objects(app: App) -> None:
    app.write(
        {
            "envctl.yaml": app.config(
                environment='{quota: {"count/deployments.apps": "1"}}', checks=""
            )
        }
    )
    failed = app.run("up", check=77)
    assert "exceeded quota" in failed.stdout


def test_helm_missing_or_too_old(app: App, tmp_path: Path) -> None:
    app.write(
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: a\nversion: 0.1.0\n",
            "envctl.yaml": app.config("  - {name: a, helm: {chart: chart}}\n", checks=""),
        }
    )
    refused(app, 2, "helm is missing", env={"ENVCTL_HELM": "/nowhere/helm"})
    old = tmp_path / "helm"
    old.write_text('#!/bin/sh\ncase "$1" in version) echo v3.2.0;; *) exit 1;; esac\n')
    old.chmod(0o755)
    refused(app, 2, "Helm v3.2.0 is too old", env={"ENVCTL_HELM": str(old)})


def test_a_field_of_another_manager(app: App) -> None:
    app.up()
    scaled = deployment("web").replace("  replicas: 1\n", "")
    app.write({"deploy/web.yaml": scaled})
    app.up()
    app.kubectl.run(
        "apply", "--server-side", "--field-manager=autoscaler", "-f", "-", "-n", app.namespace,
        stdin="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n",
    )  # fmt: skip
    app.write({"deploy/web.yaml": deployment("web", replicas=1)})
    failed = app.run("up", check=1)
    assert "'autoscaler' owns spec.replicas" in failed.stdout
    assert app.get("deployment", "web")["spec"]["replicas"] == 2


def test_a_kustomization_that_does_not_build(app: App) -> None:
    app.write(
        {
            "kust/kustomization.yaml": "resources: [none.yaml]\n",
            "envctl.yaml": app.config("  - {name: k, kustomize: kust}\n", checks=""),
        }
    )
    refused(app, 2, "does not build", "none.yaml")


def test_secrets_are_masked_in_plans_and_never_logged(app: App) -> None:
    app.up()
    app.write(
        {"deploy/config.yaml": (app.folder / "deploy/config.yaml").read_text().replace(
            "correct-horse-battery", "another-passphrase")}
    )  # fmt: skip
    planned = app.run("plan")
    assert "(masked)" in planned.stdout
    done = app.run("up")
    for text in (planned.stdout, planned.stderr, done.stdout, done.stderr):
        assert "passphrase" not in text
        assert "horse" not in text
        assert "YW5vdGhlci1wYXNzcGhyYXNl" not in text
