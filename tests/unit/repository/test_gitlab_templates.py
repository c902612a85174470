"""The GitLab templates as files: inputs, GitLab's schema, and what must hold whatever is given."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from envctl.cli.main import application
from envctl.config import duration
from envctl.errors import EXIT_RETRY
from envctl.model import pipelines
from envctl.model.repository import Repository
from tests import gitlab_inputs
from tests.unit.repository.files import ROOT

FOLDER = ROOT / "ci-templates" / "gitlab"
TEMPLATES = sorted(path.stem for path in FOLDER.glob("*.yml"))
DEPLOYING = ["environment", "gc", "release"]
#: Inputs that have no default, and a value that GitLab would take.
REQUIRED = {
    "project": "shop",
    "image": "registry.example.org/platform/envctl:v1",
    "context": "platform/agents:preview",
    "toolchain": "python:3.13-slim",
}
CREDENTIALS = ["agent", "oidc", "variable"]


def _path(name: str) -> Path:
    return FOLDER / f"{name}.yml"


def _given(name: str, **more: Any) -> dict[str, Any]:
    wanted = gitlab_inputs.declared(_path(name))
    return {**{k: v for k, v in REQUIRED.items() if k in wanted}, **more}


def _expand(name: str, **more: Any) -> dict[str, Any]:
    return gitlab_inputs.expand(_path(name), _given(name, **more))


def _jobs(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The jobs that run, with what they extend merged in, as GitLab merges it."""
    words = {"stages", "include", "default", "workflow", "variables"}
    return {
        name: _merged(config, job)
        for name, job in config.items()
        if isinstance(job, dict) and not name.startswith(".") and name not in words
    }


def _merged(config: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    parents = job.get("extends", [])
    found: dict[str, Any] = {}
    for parent in [parents] if isinstance(parents, str) else parents:
        found = _deep(found, _merged(config, config[parent]))
    return _deep(found, {key: value for key, value in job.items() if key != "extends"})


def _deep(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _deep(found[key], value) if both else value
    return found


def _check_schema(*paths: Path) -> None:
    command = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [str(command), "--builtin-schema", "vendor.gitlab-ci", *map(str, paths)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _variants(name: str) -> list[dict[str, Any]]:
    """The defaults, and each other option of each input that has some."""
    found: list[dict[str, Any]] = [{}]
    for key, declared in gitlab_inputs.declared(_path(name)).items():
        options = declared.get("options") or (
            [True, False] if declared.get("type") == "boolean" else []
        )
        found += [{key: option} for option in options if option != declared.get("default")]
    return found


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_expansion_is_what_gitlab_expects(name: str, tmp_path: Path) -> None:
    header = tmp_path / "header.yml"
    header.write_text(_path(name).read_text().split("\n---\n")[0])
    files = [header]
    for number, variant in enumerate(_variants(name)):
        files.append(tmp_path / f"{number}.yml")
        files[-1].write_text(json.dumps(_jobs(_expand(name, **variant))))
    _check_schema(*files)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_input_is_described_used_and_of_a_sensible_default(name: str) -> None:
    body = _path(name).read_text().split("\n---\n")[1]
    for key, declared in gitlab_inputs.declared(_path(name)).items():
        assert declared["description"].endswith("."), key
        assert f"inputs.{key} ]]" in body, f"{key} is declared, and not used"
    _expand(name)  # the defaults satisfy their own options and patterns


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("environment", {"project": "Shop"}, "project"),
        ("environment", {"project": "shop; rm -rf /"}, "project"),
        ("environment", {"untrusted": "allow"}, "untrusted"),
        ("environment", {"credential": ""}, "credential"),
        ("environment", {"server": "http://plain.example.org"}, "server"),
        ("environment", {"file": 'a"; id; "'}, "file"),
        ("environment", {"timeout": "an hour"}, "timeout"),
        ("environment", {"timeout": 60}, "timeout"),
        ("environment", {"extend_for": "-1h"}, "extend_for"),
        ("environment", {"unheard": "of"}, "unknown input: unheard"),
        ("gc", {"mode": "list"}, "mode"),
        ("release", {"protected": "yes"}, "protected"),
        ("release", {"branches": "release-*"}, "branches"),
        ("pipeline", {"lint": "make lint"}, "lint"),
        ("pipeline", {"sbom": "cobol"}, "sbom"),
        ("pipeline", {"promoted_tag": "a tag"}, "promoted_tag"),
        ("pipeline", {"build_options": "; id"}, "build_options"),
    ],
)
def test_a_bad_input_is_refused(name: str, given: dict[str, Any], why: str) -> None:
    with pytest.raises(gitlab_inputs.BadInput, match=re.escape(why)):
        _expand(name, **given)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_missing_input_is_refused(name: str) -> None:
    given = _given(name)
    for key in given:
        rest = {k: v for k, v in given.items() if k != key}
        if "default" in gitlab_inputs.declared(_path(name))[key]:
            continue
        with pytest.raises(gitlab_inputs.BadInput, match=f"{key}: required"):
            gitlab_inputs.expand(_path(name), rest)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_stands_alone(name: str) -> None:
    """Included from elsewhere, a path would mean the including project's."""
    config = _expand(name)
    assert "include" not in config
    assert not re.search(r"\b(ci-templates|tools)/", json.dumps(config))


def test_no_script_is_written_twice() -> None:
    """What is more than a call of one command stands in one file, once."""
    seen: dict[str, str] = {}
    for name in TEMPLATES:
        for job, found in gitlab_inputs.body(_path(name)).items():
            if not isinstance(found, dict):
                continue
            for key in ("before_script", "script", "after_script"):
                lines = found.get(key) or []
                text = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
                if "\n" not in text:
                    continue
                assert text not in seen, f"{name}: {job} has the {key} of {seen.get(text)}"
                seen[text] = f"{name}: {job}"


@pytest.mark.parametrize("name", DEPLOYING)
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_jobs_that_touch_the_cluster(name: str, credential: str) -> None:
    jobs = _jobs(_expand(name, credential=credential, server="https://k8s.example.org"))
    touching = {k: j for k, j in jobs.items() if "envctl " in " ".join(j["script"])}
    assert touching
    for title, job in touching.items():
        if title.endswith(":refused"):
            continue
        # GitLab retries what matches `when` or `exit_codes`: never a script that failed.
        assert job["retry"]["exit_codes"] == [EXIT_RETRY], title
        assert job["retry"]["when"] == ["runner_system_failure"], title
        assert ("id_tokens" in job) is (credential == "oidc"), title
        assert job["variables"]["ENVCTL_API_SERVER"] == (
            "" if credential == "agent" else "https://k8s.example.org"
        )
        assert job["after_script"] == ['rm -rf "${TMPDIR:-/tmp}/envctl-job-$CI_JOB_ID"'], title
        assert job["resource_group"], title
        # A `before_script` or `interruptible` for all jobs of the project is not for these.
        assert job["inherit"] == {"default": ["tags"]}, title
        assert job["variables"]["ENVCTL_ALLOWED_CONTEXTS"] == REQUIRED["context"], title


@pytest.mark.parametrize("name", DEPLOYING)
def test_timeouts_nest(name: str) -> None:
    """envctl's own ends first, then the script's, then the job's with room for what comes after."""
    for title, job in _jobs(_expand(name)).items():
        if title.endswith(":refused"):
            continue
        script = _seconds(job["variables"]["RUNNER_SCRIPT_TIMEOUT"])
        after = _seconds(job["variables"]["RUNNER_AFTER_SCRIPT_TIMEOUT"])
        own = sum(
            _seconds(value)
            for value in re.findall(r"--(?:lock-)?timeout (\S+)", " ".join(job["script"]))
        )
        assert own < script < script + after < _seconds(job["timeout"]), title


def _seconds(text: str) -> float:
    return duration.seconds(text, what=text)


@pytest.mark.parametrize("untrusted", ["refuse", "manual", "confined"])
def test_a_stop_job_has_the_rules_of_the_job_it_stops(untrusted: str) -> None:
    jobs = _jobs(_expand("environment", untrusted=untrusted))
    start, stop = jobs["envctl:up"], jobs["envctl:down"]
    assert start["environment"]["on_stop"] == "envctl:down"
    assert stop["environment"]["name"] == start["environment"]["name"]
    assert stop["resource_group"] == start["resource_group"]
    assert stop["variables"]["GIT_STRATEGY"] == "none"
    assert stop["variables"]["ENVCTL_NAME"] == start["variables"]["ENVCTL_NAME"]
    assert stop["needs"] == []
    by_hand = [rule for rule in stop["rules"] if rule.get("when") != "never"]
    assert {(rule["when"], rule["allow_failure"]) for rule in by_hand} == {("manual", True)}
    never = [rule for rule in start["rules"] if rule.get("when") == "never"]
    assert never == [rule for rule in stop["rules"] if rule.get("when") == "never"]


def test_what_may_be_interrupted_is_what_can_go_on() -> None:
    jobs = _jobs(_expand("environment")) | _jobs(_expand("release")) | _jobs(_expand("gc"))
    assert {name for name, job in jobs.items() if job.get("interruptible")} == {
        "envctl:up",
        "envctl:release",
    }


def test_the_dashboard_is_the_agents() -> None:
    with_agent = _jobs(_expand("environment"))["envctl:up"]["environment"]
    assert with_agent["kubernetes"]["agent"] == REQUIRED["context"]
    assert with_agent["kubernetes"]["dashboard"] == {"namespace": "shop-mr-$CI_MERGE_REQUEST_IID"}
    for credential in ("oidc", "variable"):
        jobs = _jobs(_expand("environment", credential=credential))
        assert "kubernetes" not in jobs["envctl:up"]["environment"]


def test_no_artifact_is_a_credential() -> None:
    for name in DEPLOYING:
        for title, job in _jobs(_expand(name)).items():
            artifacts = job.get("artifacts", {})
            files = [*artifacts.get("paths", []), *artifacts.get("reports", {}).values()]
            assert all(file.startswith(".envctl/") for file in files), title
            assert not any("kube" in file for file in files), title


def test_a_release_outlives_its_branch() -> None:
    jobs = _jobs(_expand("release"))
    assert "on_stop" not in jobs["envctl:release"]["environment"]
    assert "auto_stop_in" not in jobs["envctl:release"]["environment"]
    assert jobs["envctl:retire"]["environment"]["action"] == "stop"


def test_two_inclusions_do_not_meet() -> None:
    for name in DEPLOYING:
        one, other = _expand(name), _expand(name, job="second")
        assert not set(one) & set(other), name


def test_every_call_of_envctl_is_one_that_it_understands() -> None:
    root = typer.main.get_command(application())
    calls = 0
    for name in DEPLOYING:
        for variant in _variants(name):
            for title, job in _jobs(_expand(name, **variant)).items():
                for line in job["script"]:
                    words = shlex.split(line)
                    if words[0] != "envctl":
                        continue
                    calls += 1
                    command = root.commands[words[1]]  # type: ignore[attr-defined]
                    command.make_context(title, words[2:])  # raises for what it does not know
    assert calls > len(DEPLOYING)


def test_what_init_writes_is_an_inclusion_that_gitlab_takes(tmp_path: Path) -> None:
    written = pipelines.choose(Repository("shop"), pipelines.Wishes("shop", system="gitlab"), {})
    config = yaml.safe_load(written.text)
    for include in config["include"]:
        expanded = gitlab_inputs.expand(ROOT / include["file"], include["inputs"])
        assert {job["stage"] for job in _jobs(expanded).values()} <= set(config["stages"])
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(written.text)
    _check_schema(file)
