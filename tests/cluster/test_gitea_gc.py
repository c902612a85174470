"""gc asks a real Gitea, which may be down, or show this token nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.test_gc import Place, names, whys
from tests.gitea.repository import Repository
from tests.gitea.server import ADMIN

if TYPE_CHECKING:
    from tests.cluster.node import Envctl, Kubectl, Node
    from tests.gitea.server import Gitea

pytestmark = pytest.mark.xdist_group("gitea")


@pytest.fixture
def place(envctl: Envctl, node: Node, kubectl: Kubectl, project: str) -> Place:
    return Place(envctl, node, kubectl, project)


def test_only_what_gitea_says_is_closed_or_merged_goes(gitea: Gitea, place: Place) -> None:
    repository = Repository(gitea).create({"a": "1"})
    gitea.api("PATCH", f"repos/{repository.path}", {"private": True})
    for branch, end in (("open", None), ("closed", repository.close), ("merged", repository.merge)):
        repository.commit(branch, {branch: "1"}, new=True)
        number = repository.pull(branch)
        if end:
            end(number)
        place.put(branch, 60, merge_request=str(number),
                  forge_project=f"{gitea.url}#{repository.path}")  # fmt: skip

    def env(token: str) -> dict[str, str]:
        return {"ENVCTL_FORGE_URL": gitea.url, "ENVCTL_FORGE_KIND": "gitea",
                "ENVCTL_FORGE_TOKEN": token}  # fmt: skip

    everything = ["closed", "merged", "open"]
    documented = gitea.make_token(ADMIN, "read:repository")
    _, stranger = gitea.stranger()
    for token in (gitea.make_token(ADMIN, "write:issue"), stranger, "0" * 40, ""):
        found = place.gc(env=env(token))
        assert names(found, "kept") == everything
        assert found["deleted"] == []
        assert "may be open" in whys(found, "kept")["closed"]
    gitea.stop()
    try:
        found = place.gc(env=env(documented))
        assert names(found, "kept") == everything
    finally:
        gitea.start()

    found = place.gc(env=env(documented))
    assert names(found, "deleted") == ["closed", "merged"]
    assert names(found, "kept") == ["open"]
    assert place.there("open")
    assert not place.there("closed")
