"""What the token of a job may do on a real Gitea, with the permissions that the workflows ask for.

The repository is private: in a public one Gitea lets every token read everything, and a permission
that is missing from a workflow would not be missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envctl.adapters.forge import open_forge
from envctl.config.forge import ForgeSettings
from envctl.model.forge import Ability, ForgeProject, MergeRequestState, StatusState
from envctl.ports.forge import ForgeForbidden
from tests.gitea.repository import Repository
from tests.gitea.runner import Runner
from tests.unit.repository.files import text
from tests.until import until

if TYPE_CHECKING:
    from pathlib import Path

    from envctl.ports.forge import Forge
    from tests.gitea.server import Gitea

pytestmark = pytest.mark.xdist_group("gitea")

MARKER = "<!-- envctl:shop/mr-1 -->"
WORKFLOWS = ("environment.yml", "gc.yml")


@pytest.fixture
def repository(gitea: Gitea) -> Repository:
    """A private repository with the workflows as they are."""
    made = Repository(gitea).create(
        {f".gitea/workflows/{name}": text(f"ci-templates/gitea/{name}") for name in WORKFLOWS}
    )
    gitea.api("PATCH", f"repos/{made.path}", {"private": True})
    return made


@pytest.fixture
def runner(gitea: Gitea, tmp_path: Path) -> Runner:
    """A runner that only takes jobs, as it is their tokens that matter."""
    return Runner(gitea, tmp_path)


def _job(runner: Runner, repository: Repository) -> dict[str, Any]:
    """The next job of this repository; what other tests left behind is passed over."""

    def offered() -> dict[str, Any] | None:
        task = runner.offered()
        return task if task and task["context"]["repository"] == repository.path else None

    return until(offered, seconds=30) or {}


def _forge(repository: Repository, job: dict[str, Any]) -> tuple[Forge, ForgeProject]:
    url, token = repository.gitea.url, job["secrets"]["GITEA_TOKEN"]
    settings = ForgeSettings("gitea", url, f"{url}/api/v1", token, "GITEA_TOKEN")
    return open_forge(settings), ForgeProject(url, repository.path)


async def test_the_job_of_a_pull_request_keeps_one_note_and_learns_what_a_status_needs(
    repository: Repository, runner: Runner
) -> None:
    sha = repository.commit("feature", {"README": "1"}, new=True)
    number = str(repository.pull("feature"))
    forge, project = _forge(repository, _job(runner, repository))

    assert (await forge.merge_request(project, number)).state is MergeRequestState.OPEN
    for state in ("running", "ready"):
        await forge.put_note(project, number, MARKER, f"{MARKER}\n{state}")
    comments = repository.gitea.api("GET", f"repos/{repository.path}/issues/{number}/comments")
    assert [comment["body"] for comment in comments] == [f"{MARKER}\nready"]

    # Gitea knows no permission for statuses: it wants one to write everything in the repository.
    with pytest.raises(ForgeForbidden) as caught:
        await forge.set_status(
            project, sha, StatusState.SUCCESS, name="envctl", url="", description=""
        )
    assert "contents: write" in str(caught.value.next)
    may = await forge.probe(project)
    assert may.can == {Ability.READ, Ability.NOTES}
    await forge.close()


async def test_gc_learns_that_a_pull_request_of_a_private_repository_is_closed(
    repository: Repository, runner: Runner
) -> None:
    repository.commit("feature", {"README": "1"}, new=True)
    number = repository.pull("feature")
    _job(runner, repository)
    repository.close(number)
    _job(runner, repository)

    repository.dispatch("gc.yml", mode="delete")
    forge, project = _forge(repository, _job(runner, repository))
    assert (await forge.merge_request(project, str(number))).state is MergeRequestState.CLOSED
    await forge.put_note(project, str(number), MARKER, f"{MARKER}\nsoon")
    await forge.close()
