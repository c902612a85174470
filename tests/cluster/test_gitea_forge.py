"""The Gitea adapter against a real Gitea: what it answers, with the scopes that the docs name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from envctl.adapters.forge import open_forge
from envctl.config.forge import ForgeSettings
from envctl.model.forge import ForgeProject, MergeRequestState, StatusState
from envctl.ports.forge import ForgeForbidden, ForgeNotFound, ForgeUnavailable
from tests.gitea.repository import Repository
from tests.gitea.server import ADMIN
from tests.unit.repository.files import text

if TYPE_CHECKING:
    from envctl.ports.forge import Forge
    from tests.gitea.server import Gitea

pytestmark = pytest.mark.xdist_group("gitea")

MARKER = "<!-- envctl: shop/mr-1 -->"


@pytest.fixture(scope="module")
def repository(gitea: Gitea) -> Repository:
    """A repository with something to change."""
    return Repository(gitea).create({"a": "1"})


def _forge(gitea: Gitea, scopes: str) -> Forge:
    return open_forge(
        ForgeSettings(
            "gitea", gitea.url, f"{gitea.url}/api/v1",
            gitea.make_token(ADMIN, scopes), "ENVCTL_FORGE_TOKEN",
        )
    )  # fmt: skip


def _project(repository: Repository) -> ForgeProject:
    return ForgeProject(repository.gitea.url, repository.path)


async def test_a_pull_request_is_open_then_closed_then_merged(repository: Repository) -> None:
    forge, project = _forge(repository.gitea, "read:repository"), _project(repository)
    sha = repository.commit("states", {"b": "1"}, new=True)
    number = repository.pull("states")
    found = await forge.merge_request(project, str(number))
    assert (found.state, found.sha) == (MergeRequestState.OPEN, sha)
    assert (found.source_branch, found.target_branch) == ("states", "main")
    assert found.url == f"{repository.gitea.url}/{repository.path}/pulls/{number}"
    repository.close(number)
    assert (await forge.merge_request(project, str(number))).state is MergeRequestState.CLOSED
    repository.reopen(number)
    repository.merge(number)
    assert (await forge.merge_request(project, str(number))).state is MergeRequestState.MERGED
    with pytest.raises(ForgeNotFound):
        await forge.merge_request(project, "4711")
    with pytest.raises(ForgeNotFound):
        await forge.merge_request(ForgeProject(project.server, f"{ADMIN}/none"), "1")
    await forge.close()


async def test_two_notes_are_one_comment_among_many(repository: Repository) -> None:
    forge, project = _forge(repository.gitea, "write:issue"), _project(repository)
    repository.commit("notes", {"d": "1"}, new=True)
    number = repository.pull("notes")
    path = f"repos/{repository.path}/issues/{number}/comments"
    for text_ in ("first", f"> {MARKER} quoted"):
        repository.gitea.api("POST", path, {"body": text_})
    assert await forge.find_note(project, str(number), MARKER) is None
    for state in ("running", "running", "ready"):
        await forge.put_note(project, str(number), MARKER, f"{MARKER}\n{state}")
    comments = repository.gitea.api("GET", path)
    assert [comment["body"] for comment in comments][2:] == [f"{MARKER}\nready"]
    assert await forge.find_note(project, str(number), MARKER) == f"{MARKER}\nready"
    await forge.close()


async def test_a_status_is_set_once_for_each_state(repository: Repository) -> None:
    forge, project = _forge(repository.gitea, "write:repository"), _project(repository)
    sha = repository.commit("status", {"c": "1"}, new=True)
    for state in (StatusState.RUNNING, StatusState.RUNNING, StatusState.SUCCESS):
        await forge.set_status(
            project, sha, state, name="envctl", url="https://mr-1.example.org", description="ready"
        )
    path = f"repos/{repository.path}/commits/{sha}/statuses"
    found = [status["status"] for status in repository.gitea.api("GET", path)]
    assert sorted(found) == ["pending", "success"]
    assert await forge.stop_environment(project, "mr-1") is False
    await forge.close()


async def test_a_scope_that_is_missing_is_named_as_the_docs_name_it(
    repository: Repository,
) -> None:
    project = _project(repository)
    documented = re.findall(r"\| `(\w+:\w+)` \|", text("docs/ci-gitea.md"))
    assert documented == ["read:repository", "write:issue", "write:repository"]
    forge = _forge(repository.gitea, "read:user")
    calls = {
        "read:repository": lambda: forge.merge_request(project, "1"),
        "write:issue": lambda: forge.put_note(project, "1", MARKER, MARKER),
        "write:repository": lambda: forge.set_status(
            project, "0" * 40, StatusState.SUCCESS, name="envctl", url="", description=""
        ),
    }
    for scope, call in calls.items():
        with pytest.raises(ForgeForbidden) as caught:
            await call()
        assert scope in str(caught.value.next)
    await forge.close()


async def test_a_token_that_is_none_and_a_gitea_that_is_down(repository: Repository) -> None:
    gitea, project = repository.gitea, _project(repository)
    unknown = open_forge(
        ForgeSettings("gitea", gitea.url, f"{gitea.url}/api/v1", "0" * 40, "ENVCTL_FORGE_TOKEN")
    )
    with pytest.raises(ForgeForbidden, match="token"):
        await unknown.merge_request(project, "1")
    await unknown.close()
    forge = _forge(gitea, "read:repository")
    gitea.stop()
    try:
        with pytest.raises(ForgeUnavailable):
            await forge.merge_request(project, "1")
    finally:
        gitea.start()
    await forge.close()
