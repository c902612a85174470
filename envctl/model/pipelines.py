"""Which CI a repository has, and what it takes to include envctl there."""

from __future__ import annotations

import re
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
CONTEXTS = {"gitlab": "platform/agents:preview", "gitea": "preview", "github": "preview"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says; empty where it is to be guessed."""

    project: str = ""
    context: str = ""
    system: str = "auto"
    image: str = ""
    templates: str = ""
    domain: str = ""


def choose(repository: Repository, wishes: Wishes) -> Pipeline:
    """What to write for the CI that the repository has, or lines to add to what is there."""
    system = guess(repository) if wishes.system == "auto" else wishes.system
    if system == "gitlab":
        there = GITLAB_FILE in repository.files
        text = _gitlab(wishes, lead="" if there else _LEAD)
        return Pipeline(system, GITLAB_FILE, text, add=there)
    if system in _WORKFLOWS:
        file = f"{_WORKFLOWS[system]}/envctl.yml"
        return Pipeline(system, file, _actions(system, wishes), add=file in repository.files)
    return Pipeline()


def context(pipeline: Pipeline, wishes: Wishes) -> str:
    """The context that the pipeline's jobs will name, so that the configuration allows it."""
    return "" if pipeline.system == "none" else wishes.context or CONTEXTS[pipeline.system]


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
        f"      context: {wishes.context or CONTEXTS['gitlab']}{_here(wishes.context)}\n"
    )
    return lead + "include:\n" + "".join(
        f"  - project: {project}{_here(wishes.templates)}\n"
        f"    file: ci-templates/gitlab/{name}.yml\n"
        f"    inputs:\n{inputs}"
        for name in ("environment", "gc")
    )  # fmt: skip


def _here(given: str) -> str:
    return "" if given else "  # where it is with you"


_ACTIONS = """\
# Every pull request gets an environment of its own; it goes when the request is merged or closed.
# The cluster: the variables ENVCTL_API_SERVER and ENVCTL_API_CA, and the secret ENVCTL_API_TOKEN.
name: envctl
on:
  pull_request:
    types: [opened, synchronize, reopened, closed]
  schedule:
    - cron: "17 * * * *"
env:
  ENVCTL_PROJECT: PROJECT
  ENVCTL_CONTEXT: CONTEXT
  ENVCTL_ALLOWED_CONTEXTS: CONTEXT
  ENVCTL_API_SERVER: ${{ vars.ENVCTL_API_SERVER }}
  ENVCTL_API_CA: ${{ vars.ENVCTL_API_CA }}
jobs:
  up:
    # A request from a fork has no secrets, and gets no environment.
    if: >-
      github.event_name == 'pull_request' && github.event.action != 'closed' &&
      github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    container: IMAGE
    timeout-minutes: 60
    concurrency: {group: "envctl-${{ github.event.number }}", cancel-in-progress: true}
    env:
      ENVCTL_NAME: mr-${{ github.event.number }}
      ENVCTL_API_TOKEN: ${{ secrets.ENVCTL_API_TOKEN }}
    steps:
      - uses: actions/checkout@v4
      - run: envctl up --timeout 45m
  down:
    if: github.event_name == 'pull_request' && github.event.action == 'closed'
    runs-on: ubuntu-latest
    container: IMAGE
    timeout-minutes: 20
    concurrency: {group: "envctl-${{ github.event.number }}", cancel-in-progress: true}
    env:
      ENVCTL_NAME: mr-${{ github.event.number }}
      ENVCTL_API_TOKEN: ${{ secrets.ENVCTL_API_TOKEN }}
    steps:
      - run: envctl down
  gc:
    if: github.event_name == 'schedule'
    runs-on: ubuntu-latest
    container: IMAGE
    timeout-minutes: 60
    env:
      ENVCTL_API_TOKEN: ${{ secrets.ENVCTL_API_TOKEN }}
      ENVCTL_FORGE_TOKEN: ${{ secrets.ENVCTL_FORGE_TOKEN }}
    steps:
      - run: envctl gc --project PROJECT
"""


def _actions(system: str, wishes: Wishes) -> str:
    """A workflow that runs the command itself, which is all that a template would do."""
    image = (wishes.image or IMAGE) + _here(wishes.image)
    name = (wishes.context or CONTEXTS[system]) + _here(wishes.context)
    found = re.sub(r"\bCONTEXT$", lambda _: name, _ACTIONS, flags=re.MULTILINE)
    found = re.sub(r"\bIMAGE$", lambda _: image, found, flags=re.MULTILINE)
    return re.sub(r"\bPROJECT$", lambda _: wishes.project, found, flags=re.MULTILINE)
