"""Which CI a repository has, and what it takes to include envctl there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envctl.model.found import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def choose(repository: Repository, wishes: Wishes, templates: Mapping[str, str]) -> Pipeline:
    """What to write for the CI that the repository has, or lines to add to what is there.

    ``templates`` are the workflows for Actions by their name, as ci-templates/gitea has them.
    """
    system = guess(repository) if wishes.system == "auto" else wishes.system
    if system == "gitlab":
        there = GITLAB_FILE in repository.files
        text = _gitlab(wishes, lead="" if there else _LEAD)
        return Pipeline(system, GITLAB_FILE, text, add=there)
    if system in _WORKFLOWS:
        first, *others = _actions(system, wishes, templates)
        there = first.file in repository.files
        return replace(first, add=there, beside=() if there else tuple(others))
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


def _actions(system: str, wishes: Wishes, templates: Mapping[str, str]) -> tuple[Pipeline, ...]:
    """The workflows for Actions, which are files to copy, with what is known filled in."""
    folder = _WORKFLOWS[system]
    return tuple(
        Pipeline(system, f"{folder}/{file}", _filled(system, templates[name], wishes))
        for name, file in (("environment", "envctl.yml"), ("gc", "envctl-gc.yml"))
    )


def _filled(system: str, text: str, wishes: Wishes) -> str:
    """A workflow with the inputs that stand at its top, and the image of its jobs."""
    context = (wishes.context or CONTEXTS[system]) + _here(wishes.context)
    values = {
        "ENVCTL_PROJECT": wishes.project,
        "ENVCTL_CONTEXT": context,
        "ENVCTL_ALLOWED_CONTEXTS": context,
        "image": (wishes.image or IMAGE) + _here(wishes.image),
    }
    for key, value in values.items():
        line = re.compile(rf"^( *{key}: ).*$", re.MULTILINE)
        text = line.sub(lambda found, to=value: found[1] + to, text)  # type: ignore[misc]
    return text
