"""What doctor says of the forge: never a failure, always what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from envctl.errors import EnvctlError
from envctl.model.finding import Finding, Verdict
from envctl.model.forge import Ability, ForgeAccess, ForgeProject
from envctl.ports.forge import ForgeForbidden, ForgeNotFound, ForgeUnavailable
from envctl.workflow.doctor_forge import of_forge

if TYPE_CHECKING:
    from envctl.ports.forge import Forge

PROJECT = ForgeProject("https://git.example.org", "7")


class Answering:
    kind = "GitLab"
    server = "https://git.example.org"

    def __init__(self, answer: ForgeAccess | EnvctlError) -> None:
        self.answer = answer

    async def probe(self, _: ForgeProject) -> ForgeAccess:
        if isinstance(self.answer, EnvctlError):
            raise self.answer
        return self.answer


async def found(answer: Any, project: ForgeProject | None = PROJECT) -> list[Finding]:
    return await of_forge(cast("Forge", Answering(answer)), project)


async def test_without_a_forge_it_says_how_to_name_one() -> None:
    [only] = await of_forge(None, PROJECT)
    assert only.result is Verdict.OK
    assert "ENVCTL_FORGE_URL" in only.detail


async def test_a_token_that_can_do_everything_is_fine() -> None:
    forge, token = await found(ForgeAccess(frozenset(Ability), {}, "2031-01-01"))
    assert (forge.result, token.result) == (Verdict.OK, Verdict.OK)
    assert forge.detail == "GitLab at https://git.example.org answers about project 7"
    assert token.detail.startswith("the token can read merge requests, set commit statuses, ")
    assert token.detail.endswith("; it ends on 2031-01-01")


async def test_what_the_token_cannot_do_is_a_warning_with_each_remedy_once() -> None:
    cannot = {Ability.STATUSES: "It needs `api`.", Ability.ENVIRONMENTS: "It needs `api`."}
    _, token = await found(ForgeAccess(frozenset({Ability.READ}), cannot))
    assert token.result is Verdict.WARN
    assert token.detail == (
        "the token can read merge requests; it cannot set commit statuses, stop environments"
    )
    assert token.next == "It needs `api`."


@pytest.mark.parametrize("kind", [ForgeUnavailable, ForgeForbidden, ForgeNotFound])
async def test_a_forge_that_does_not_answer_is_a_warning(kind: type[EnvctlError]) -> None:
    [only] = await found(kind("GitLab did not answer.", why="It is down.", next="Wait."))
    assert (only.name, only.result) == ("forge", Verdict.WARN)
    assert only.detail == "GitLab did not answer. It is down."
    assert only.next == "Wait."


async def test_a_job_that_does_not_know_its_project_is_told() -> None:
    [only] = await found(ForgeAccess(frozenset(), {}), None)
    assert only.result is Verdict.WARN
    assert "variables" in only.next
