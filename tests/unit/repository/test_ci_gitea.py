"""The workflows for Gitea, Forgejo and GitHub: valid for each, and safe whoever sent the change."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitea.expressions import evaluate, holds, insert
from tests.unit.repository.files import ROOT, text

TEMPLATES = ["ci-templates/gitea/environment.yml", "ci-templates/gitea/gc.yml"]


def _workflow(file: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(text(file))
    return found


def _steps(file: str) -> list[dict[str, Any]]:
    return [step for job in _workflow(file)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("file", TEMPLATES)
def test_a_workflow_is_what_github_expects(file: str) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.github-workflows", ROOT / file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", TEMPLATES)
def test_a_workflow_runs_nobody_elses_code_and_no_text_of_a_change(file: str) -> None:
    # YAML 1.1 reads the key ``on`` as true.
    assert not {"pull_request_target", "issue_comment"} & set(_workflow(file)[True])
    for step in _steps(file):
        assert "uses" not in step
        # An expression in a script would be text that its author chooses, run as a command.
        assert "${{" not in step["run"]
        assert len(step["run"].strip().splitlines()) <= 3


@pytest.mark.parametrize("file", TEMPLATES)
def test_a_credential_is_given_to_steps_that_need_it_and_removed_in_the_end(file: str) -> None:
    for level in (_workflow(file), *_workflow(file)["jobs"].values()):
        assert "secrets." not in str(level.get("env", ""))
    last = _steps(file)[-1]
    assert last["if"] == "always()"
    assert "rm -rf" in last["run"]
    writing = next(step for step in _steps(file) if "kubeconfig" in step["run"])
    assert "umask 077" in writing["run"]
    assert "mktemp" in writing["run"]


@pytest.mark.parametrize("file", TEMPLATES)
def test_two_attempts_and_the_pause_fit_into_the_job(file: str) -> None:
    (job,) = _workflow(file)["jobs"].values()
    step = next(step for step in job["steps"] if step["name"] == "envctl")
    for options in re.findall(r"'(--[^']*timeout[^']*)'", step["env"]["OPTIONS"]):
        one = sum(int(minutes) for minutes in re.findall(r"timeout (\d+)m", options))
        assert 2 * one + 1 < job["timeout-minutes"], options
    assert re.search(r"\$code = 75 ", step["run"])


@pytest.mark.parametrize("file", TEMPLATES)
def test_each_input_is_explained(file: str) -> None:
    for name in _workflow(file)["env"]:
        assert f"`{name}`" in text("docs/ci-gitea.md"), name


@pytest.mark.parametrize(
    ("attempts", "code", "calls"), [("0", 0, 1), ("1", 1, 1), ("75 0", 0, 2), ("75 75", 75, 2)]
)
def test_only_75_is_tried_again_and_only_once(
    attempts: str, code: int, calls: int, tmp_path: Path
) -> None:
    for name, script in {
        "envctl": 'read -r first rest < codes; echo "$rest" > codes; echo >> calls; exit $first',
        "sleep": "exit 0",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "codes").write_text(attempts + "\n")
    for file in TEMPLATES:
        (tmp_path / "codes").write_text(attempts + "\n")
        (tmp_path / "calls").write_text("")
        (tmp_path / "script").write_text(
            next(step["run"] for step in _steps(file) if step["name"] == "envctl")
        )
        done = subprocess.run(
            ["bash", "-e", "script"], cwd=tmp_path, check=False,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "VERB": "up", "OPTIONS": ""},
        )  # fmt: skip
        assert done.returncode == code
        assert len((tmp_path / "calls").read_text()) == calls


@pytest.mark.parametrize(
    ("event", "verb", "profile", "group", "cancels"),
    [
        ({"action": "opened"}, "up", "", "envctl-7-up", "true"),
        ({"action": "synchronized"}, "up", "", "envctl-7-up", "true"),
        ({"action": "closed"}, "down", "", "envctl-7-down", "false"),
        ({"action": "opened", "fork": True}, "up", "confined", "envctl-7-up", "true"),
        ({"inputs": {"action": "keep"}}, "keep", "", "envctl-7-keep", "false"),
        ({"inputs": {"action": "up", "confined": "confined"}}, "up", "confined", "envctl-7-up",
         "false"),
    ],
)  # fmt: skip
def test_what_an_event_leads_to(
    event: dict[str, Any], verb: str, profile: str, group: str, cancels: str
) -> None:
    workflow = _workflow(TEMPLATES[0])
    (job,) = workflow["jobs"].values()
    fork = event.pop("fork", False)
    github: dict[str, Any] = {
        "repository": "a/b",
        "event_name": "workflow_dispatch",
        "event": event,
    }
    if "inputs" in event:
        event["inputs"]["number"] = "7"
    else:
        github["event_name"] = "pull_request"
        head = {"repo": {"full_name": "c/b" if fork else "a/b"}, "sha": "1234"}
        event["pull_request"] = {"number": 7, "head": head}
    contexts: dict[str, Any] = {"github": github}
    assert holds(job["if"], contexts)
    assert insert(workflow["concurrency"]["group"], contexts) == group
    assert insert(workflow["concurrency"]["cancel-in-progress"], contexts) == cancels
    env = {name: insert(value, contexts) for name, value in job["env"].items()}
    assert (env["VERB"], env["ENVCTL_NAME"]) == (verb, "mr-7")
    step = next(step for step in job["steps"] if step["name"] == "envctl")
    assert insert(step["env"]["ENVCTL_PROFILE"], contexts | {"env": env}) == profile


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a' == 'A'", True), ("github.none == ''", True), ("github.none != 'x'", True),
        ("github.one && 'yes' || 'no'", "yes"), ("github.none && 'yes' || 'no'", "no"),
        ("!(github.one == 1)", False), ("'it''s'", "it's"), ("true", True),
    ],
)  # fmt: skip
def test_expressions_are_what_github_documents(text: str, value: object) -> None:
    assert evaluate(text, {"github": {"one": 1}}) == value


def test_a_context_that_is_not_offered_is_an_error() -> None:
    with pytest.raises(ValueError, match="env is not to be had"):
        evaluate("env.FORK == 'true'", {"github": {}})
