"""The files that other programs read: GitLab, Task, pre-commit, buildah."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import gitlab_inputs
from tests.unit.repository.files import ROOT, text

BIN = Path(sys.executable).parent


def _run(*command: str) -> str:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("schema", "file"), [("gitlab-ci", ".gitlab-ci.yml"), ("taskfile", "Taskfile.yml")]
)
def test_the_file_is_what_its_program_expects(schema: str, file: str) -> None:
    _run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", file)


def test_the_pre_commit_hooks_are_valid_and_need_no_network() -> None:
    _run("pre-commit", "validate-config")
    repos = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert all(hook["language"] == "system" for hook in repos[0]["hooks"])


def test_task_knows_the_words_a_newcomer_tries() -> None:
    listed = json.loads(_run("task", "--list", "--json"))
    names = {task["name"] for task in listed["tasks"]}
    assert names >= {"default", "demo", "test", "lint", "bench", "docs", "cluster:bundle"}


@pytest.mark.parametrize("file", ["Taskfile.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"])
def test_every_script_that_is_called_exists(file: str) -> None:
    for script in re.findall(
        r"\b(?:sh|bash|python) ((?:tools|tests|examples|\.ci)/\S+)", text(file)
    ):
        assert (ROOT / script.rstrip("],")).is_file(), script
    for module in re.findall(r"python -m (tests\.[\w.]+)", text(file)):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def test_every_stage_that_is_called_is_one_of_the_gate() -> None:
    stages = set(re.findall(r"^(\w+)\(\) \{$", text(".ci/run"), re.MULTILINE))
    for file in ("Taskfile.yml", ".gitlab-ci.yml"):
        for call in re.findall(r"bash \.ci/run([ \w]*)", text(file)):
            assert set(call.split()) <= stages, call


def test_the_image_suits_a_ci_runner() -> None:
    lines = text("Containerfile").splitlines()
    assert not [line for line in lines if line.startswith("ENTRYPOINT")]
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1].split(":")[0].isdigit()
    assert users[-1].split(":")[0] != "0"
    for name in ("HOME", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"):
        assert re.search(rf"\b{name}=/home/envctl", text("Containerfile")), name


def test_the_image_is_built_from_what_is_locked() -> None:
    pins = text("cluster/go.mod")
    for program, module in (("helm", "helm.sh/helm/v4"), ("kustomize", "sigs.k8s.io/kustomize/")):
        assert f"go build -o /out/{program}" in text("Containerfile")
        assert re.search(rf"^\s{re.escape(module)}\S* v\d+\.\d+\.\d+\b", pins, re.MULTILINE)
    installs = re.findall(r"pip install (.*)", text("Containerfile"))
    assert installs
    for install in installs:
        assert "--no-deps" in install, install
        assert "--require-hashes" in install or ".whl" in install, install


def test_its_own_pipeline_uses_the_templates_for_the_shop() -> None:
    """Each inclusion gives inputs that GitLab would take, and its jobs meet no other's name."""
    config = yaml.safe_load(text(".gitlab-ci.yml"))
    jobs: set[str] = set(config)
    for include in config["include"]:
        expanded = gitlab_inputs.expand(ROOT / include["local"], include["inputs"])
        added = {name for name in expanded if not name.startswith(".")}
        assert not added & jobs
        jobs |= added
    assert "deploy" in config["stages"]
    assert {"shop:up", "shop:down", "shop:gc", "shop-images"} <= jobs
