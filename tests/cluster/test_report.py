"""The merge request is told by real runs on the node, at a GitLab that can be made to fail."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.cluster.app import App, deployment, job
from tests.contract.faults import Fault
from tests.contract.gitlab import GitLab
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def gitlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitLab]:
    server = GitLab(tmp_path_factory.mktemp("gitlab"))
    server.start()
    server.project.open(12, "feature/basket")
    yield server
    server.stop()


@pytest.fixture
def env(gitlab: GitLab) -> dict[str, str]:
    """A job of merge request 12, with a token that may write."""
    return {
        **gitlab.variables(iid=12), "ENVCTL_FORGE_TOKEN": gitlab.token,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_DEFAULT_BRANCH": "main",
    }  # fmt: skip


def notes(gitlab: GitLab) -> list[str]:
    return [note.body for note in gitlab.project.merge_requests[12].notes if not note.system]


def test_one_note_through_the_life_of_a_merge_request(
    app: App, gitlab: GitLab, env: dict[str, str]
) -> None:
    numbers = "echo orders=41.5 > /dev/termination-log"
    app.write({"tests/smoke.yaml": job("smoke", numbers)})
    app.envctl("up", "--name", "latest", check=0)
    assert app.up(env=env)["checks"][0]["metrics"] == {"orders": 41.5}
    (note,) = notes(gitlab)
    assert "Ready" in note
    assert "41.5" in note
    assert "latest" in note, "measured beside the target branch"

    missing = deployment("web", image="docker.io/envctl/none:1").replace("IfNotPresent", "Never")
    app.write({"deploy/web.yaml": missing})
    app.up(check=1, env=env)
    (note,) = notes(gitlab)
    assert "Failed" in note
    assert "Deployment/web" in note
    assert "<details>" in note

    done = app.run("down", env=env)
    assert done.json["result"] == "gone"
    (note,) = notes(gitlab)
    assert "Gone" in note


def test_a_mistake_in_the_file_is_on_the_merge_request(
    app: App, gitlab: GitLab, env: dict[str, str]
) -> None:
    app.write({"envctl.yaml": app.config() + "cheks: []\n"})
    app.run("up", check=2, env=env)
    (note,) = notes(gitlab)
    assert "cheks" in note


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.RESET, Fault.EXPIRED])
def test_a_forge_that_fails_changes_no_exit_code(
    app: App, gitlab: GitLab, env: dict[str, str], fault: Fault
) -> None:
    gitlab.fault(fault, times=1000)
    done = app.run("up", env=env)
    assert done.json["result"] == "succeeded"
    warnings = [line for line in done.stderr.splitlines() if "level=warning" in line]
    told = [line for line in warnings if "GitLab" in line and "not" in line]
    assert told, done.stderr
    assert gitlab.token not in done.stderr + done.stdout


def test_a_job_token_is_not_enough_and_that_is_said(
    app: App, gitlab: GitLab, env: dict[str, str]
) -> None:
    env = {**env, "ENVCTL_FORGE_TOKEN": "", "CI_JOB_TOKEN": gitlab.job_token}
    done = app.run("up", env=env)
    assert notes(gitlab) == []
    assert "ENVCTL_FORGE_TOKEN" in done.stderr


def test_nothing_is_told_when_that_was_asked_for(
    app: App, gitlab: GitLab, env: dict[str, str]
) -> None:
    app.run("up", "--no-report", env=env)
    app.run("up", env={**env, "ENVCTL_REPORT": "0"})
    assert gitlab.requests == []


def test_an_interrupted_run_leaves_word(
    app: App, gitlab: GitLab, env: dict[str, str], tmp_path: Path
) -> None:
    del tmp_path
    never = deployment("web").replace(
        "IfNotPresent}", 'IfNotPresent, readinessProbe: {exec: {command: ["/none"]}}}'
    )
    app.write({"deploy/web.yaml": never})
    process = app.envctl.start("up", "--name", "it", "-o", "json", env=env)
    until(lambda: app.kubectl.exists("deployment", "web", "-n", app.namespace))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    (note,) = notes(gitlab)
    assert "Interrupted" in note
