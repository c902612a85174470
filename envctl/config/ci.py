"""What the CI system says about the run: which branch, commit, pipeline and merge request.

GitLab's names are documented in its "Predefined CI/CD variables reference"; GitHub, Gitea and
Forgejo Actions share the GITHUB_ names.
"""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.config import names
from envctl.model.forge import ForgeProject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CIContext:
    """Where the run comes from; ``system`` is ``gitlab``, ``actions`` or empty on a laptop.

    ``server`` is the forge's URL for people and ``api`` the one for programs, both without a slash
    at the end; ``project`` is what its API calls the project. ``fork`` says that the merge request
    comes from another project. ``environment`` is the CI's own name for the environment;
    ``stopping`` says that this very job was started to stop it.
    """

    system: str = ""
    branch: str = ""
    commit: str = ""
    pipeline: str = ""
    merge_request: str = ""
    owner: str = ""
    target_branch: str = ""
    server: str = ""
    api: str = ""
    project: str = ""
    fork: bool = False
    job_url: str = ""
    environment: str = ""
    default_branch: str = ""
    stopping: bool = False

    @property
    def forge_project(self) -> ForgeProject | None:
        """The project on the forge, where the CI says which one it is."""
        return ForgeProject(self.server, self.project) if self.server and self.project else None

    def baselines(self) -> tuple[str, ...]:
        """The environments that a change is compared with, the likeliest first.

        A merge request's is its target branch's; what a developer tries is compared with main. A
        branch's own pipeline has none but its own earlier runs.
        """
        if self.system and not self.target_branch:
            return ()
        main = self.default_branch or "main"
        target = self.target_branch or main
        return names.of_branch(target, default=target == main)

    def default_name(self) -> str:
        """The environment's name when none is given: merge request, else branch, else person."""
        if self.merge_request:
            return names.merge_request_name(self.merge_request, self.branch)
        if self.system:
            return names.slug(self.branch or "main")
        return names.slug(f"{self.owner or 'local'}-{self.branch or 'main'}")


def detect(env: Mapping[str, str], folder: Path) -> CIContext:
    """Read the CI's variables; on a laptop ask git for branch and commit of ``folder``."""
    if env.get("GITLAB_CI") == "true":
        return _gitlab(env)
    if env.get("GITHUB_ACTIONS") == "true":
        return _actions(env)
    return CIContext(
        branch=_git(folder, "symbolic-ref", "--short", "HEAD"),
        commit=_git(folder, "rev-parse", "HEAD"),
        owner=_user(),
    )


def _gitlab(env: Mapping[str, str]) -> CIContext:
    branch = env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or env.get("CI_COMMIT_REF_NAME", "")
    return CIContext(
        system="gitlab",
        branch=branch,
        commit=env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or env.get("CI_COMMIT_SHA", ""),
        pipeline=_digits(env.get("CI_PIPELINE_ID", "")),
        merge_request=_digits(env.get("CI_MERGE_REQUEST_IID", "")),
        owner=env.get("GITLAB_USER_LOGIN", ""),
        target_branch=env.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        server=env.get("CI_SERVER_URL", "").rstrip("/"),
        api=env.get("CI_API_V4_URL", "").rstrip("/"),
        project=env.get("CI_PROJECT_ID", ""),
        fork=_another(env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), env.get("CI_PROJECT_ID")),
        job_url=env.get("CI_JOB_URL", ""),
        environment=env.get("CI_ENVIRONMENT_NAME", ""),
        default_branch=env.get("CI_DEFAULT_BRANCH", ""),
        stopping=env.get("CI_ENVIRONMENT_ACTION", "") == "stop",
    )


def _actions(env: Mapping[str, str]) -> CIContext:
    pull = re.fullmatch(r"refs/pull/(\d+)/.*", env.get("GITHUB_REF", ""))
    # The workflow says both itself, as for a merged pull request, and for a run by hand, GitHub's
    # variables are about the target branch.
    number = _digits(env.get("ENVCTL_MERGE_REQUEST", "")) or (pull[1] if pull else "")
    server = env.get("GITHUB_SERVER_URL", "").rstrip("/")
    repository, run = env.get("GITHUB_REPOSITORY", ""), env.get("GITHUB_RUN_ID", "")
    return CIContext(
        system="actions",
        branch=env.get("GITHUB_HEAD_REF") or env.get("GITHUB_REF_NAME", ""),
        commit=env.get("ENVCTL_COMMIT") or env.get("GITHUB_SHA", ""),
        pipeline=_digits(env.get("GITHUB_RUN_ID", "")),
        merge_request=number,
        owner=env.get("GITHUB_ACTOR", ""),
        target_branch=env.get("GITHUB_BASE_REF", ""),
        server=server,
        api=env.get("GITHUB_API_URL", "").rstrip("/"),
        project=repository,
        fork=_another(env.get("ENVCTL_HEAD_REPOSITORY"), repository),
        job_url=f"{server}/{repository}/actions/runs/{run}" if server and run else "",
    )


def _another(source: str | None, target: str | None) -> bool:
    """Whether both projects are known and differ."""
    return bool(source and target and source != target)


def _digits(value: str) -> str:
    return value if value.isascii() and value.isdigit() else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose uid has no name
        return "local"


def _git(folder: Path, *arguments: str) -> str:
    if not shutil.which("git"):
        return ""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    return done.stdout.strip() if done.returncode == 0 else ""
