"""The command itself, as a job runs it, against a GitLab with a private CA."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.faults import Fault
from tests.documents import check_document

if TYPE_CHECKING:
    from tests.contract.gitlab import GitLab

ENVCTL = Path(sys.executable).with_name("envctl")


@pytest.fixture
def doctor(gitlab: GitLab, tmp_path: Path) -> Any:
    gitlab.project.open(12)

    def run(**changed: str) -> tuple[dict[str, dict[str, str]], str]:
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("CI", "GIT", "ENVCTL_"))},
            "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none"),
            **gitlab.variables(12), **changed,
        }  # fmt: skip
        done = subprocess.run(
            [ENVCTL, "doctor", "-o", "json"],
            env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr  # there is no cluster
        document = json.loads(done.stdout)
        check_document("doctor", document)
        return {c["name"]: c for c in document["checks"]}, done.stdout + done.stderr

    return run


def test_it_says_what_the_token_can_do(gitlab: GitLab, doctor: Any) -> None:
    checks, said = doctor()
    assert checks["forge"]["detail"] == f"GitLab at {gitlab.url} answers about project 7"
    assert checks["token"]["result"] == "ok"
    checks, job = doctor(ENVCTL_FORGE_TOKEN="")
    assert checks["token"]["result"] == "warn"
    assert "ENVCTL_FORGE_TOKEN" in checks["token"]["next"]
    assert gitlab.token not in said
    assert gitlab.job_token not in job
    assert not gitlab.writes()


def test_it_says_what_keeps_the_forge_from_answering(gitlab: GitLab, doctor: Any) -> None:
    gitlab.fault(Fault.EXPIRED, times=None)
    checks, _ = doctor()
    assert checks["forge"]["result"] == "warn"
    assert "ENVCTL_FORGE_TOKEN" in checks["forge"]["next"]
    checks, _ = doctor(CI_SERVER_TLS_CA_FILE="")
    assert "not trusted" in checks["forge"]["detail"]
    checks, _ = doctor(CI_SERVER_URL="http://git.example.org")
    assert checks["forge"]["result"] == "fail"
    assert "without TLS" in checks["forge"]["detail"]
