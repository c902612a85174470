"""Which CI a repository has, and what it takes to include envctl there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model.found import Pipeline

if TYPE_CHECKING:
    from envctl.model.repository import Repository

GITLAB_FILE = ".gitlab-ci.yml"
SYSTEMS = ("auto", "gitlab", "gitea", "github", "none")
_WORKFLOWS = {"gitea": ".gitea/workflows", "github": ".github/workflows"}
#: What stands in the file until somebody says where envctl's own project and image are.
TEMPLATES = "platform/envctl"
IMAGE = "registry.example.org/platform/envctl:v1"
CONTEXT = "platform/agents:preview"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says; empty where it is to be guessed."""

    project: str = ""
    context: str = ""
    system: str = "auto"
    image: str = ""
    templates: str = ""


def choose(repository: Repository, wishes: Wishes) -> Pipeline:
    """What to write for the CI that the repository has, or lines to add to what is there."""
    system = guess(repository) if wishes.system == "auto" else wishes.system
    if system == "gitlab":
        there = GITLAB_FILE in repository.files
        text = _gitlab(wishes, lead="" if there else _LEAD)
        return Pipeline(system, GITLAB_FILE, text, add=there)
    if system in _WORKFLOWS:
        file = f"{_WORKFLOWS[system]}/envctl.yml"
        return Pipeline(system, file, _actions(wishes), add=file in repository.files)
    return Pipeline()


def guess(repository: Repository) -> str:
    """By the files that are there; else by where the repository is hosted; else none."""
    if GITLAB_FILE in repository.files:
        return "gitlab"
    for system, folder in _WORKFLOWS.items():
        if repository.below(folder):
            return system
    host = repository.origin.partition("://")[2] or repository.origin
    host = host.rpartition("@")[2].partition("/")[0].partition(":")[0].lower()
    for mark, system in (("gitlab", "gitlab"), ("gitea", "gitea"), ("forgejo", "gitea"),
                         ("codeberg", "gitea"), ("github", "github")):  # fmt: skip
        if mark in host:
            return system
    return "none"


_LEAD = """\
# Every merge request gets an environment of its own; it goes when the request is merged or closed.
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_PIPELINE_SOURCE == "schedule"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH

stages: [deploy]

"""


def _gitlab(wishes: Wishes, lead: str) -> str:
    project = wishes.templates or TEMPLATES
    inputs = (
        f"      project: {wishes.project}\n"
        f"      image: {wishes.image or IMAGE}{_here(wishes.image)}\n"
        f"      context: {wishes.context or CONTEXT}{_here(wishes.context)}\n"
    )
    return lead + "include:\n" + "".join(
        f"  - project: {project}{_here(wishes.templates)}\n"
        f"    file: ci-templates/gitlab/{name}.yml\n"
        f"    inputs:\n{inputs}"
        for name in ("environment", "gc")
    )  # fmt: skip


def _here(given: str) -> str:
    return "" if given else "  # where it is with you"


def _actions(wishes: Wishes) -> str:
    """A workflow that hands over to the template, with the events that it is made for."""
    templates = wishes.templates or TEMPLATES
    return f"""\
# Every pull request gets an environment of its own; it goes when the request is merged or closed.
name: envctl
on:
  pull_request:
    types: [opened, synchronize, reopened, closed]
  schedule:
    - cron: "17 * * * *"
jobs:
  environment:
    uses: {templates}/ci-templates/gitea/environment.yml@main{_here(wishes.templates)}
    secrets: inherit
    with:
      project: {wishes.project}
      image: {wishes.image or IMAGE}{_here(wishes.image)}
      context: {wishes.context or "preview"}{_here(wishes.context)}
"""
