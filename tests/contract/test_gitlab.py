"""GitLab's adapter against a server that behaves, and misbehaves, as GitLab does."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from envctl.adapters.forge import open_forge
from envctl.config import ci, forge
from envctl.model import step
from envctl.model.forge import Ability, ForgeProject, MergeRequestState, StatusState
from envctl.ports import attempt
from envctl.ports.forge import ForgeForbidden, ForgeNotFound, ForgeUnavailable
from tests.contract.faults import Fault
from tests.contract.gitlab import GitLab
from tests.contract.gitlab_state import GUEST, MAINTAINER, REPORTER, Token
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from envctl.errors import EnvctlError
    from envctl.ports.forge import Forge

MARKER = "<!-- envctl:shop/mr-12 -->"
BODY = f"{MARKER}\n\nReady."


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many attempts as ever, with less time between them."""
    monkeypatch.setattr(step, "FORGE", replace(step.FORGE, first=0.02, cap=0.1))


@pytest.fixture
async def opened(gitlab: GitLab, tmp_path: Path) -> AsyncIterator[Forge]:
    gitlab.project.open(12, "feature/basket")
    found = connect(gitlab, tmp_path)
    yield found
    await found.close()


def connect(gitlab: GitLab, folder: Path, **changed: str) -> Forge:
    env = {**gitlab.variables(12), **changed}
    settings = forge.read(env, ci.detect(env, folder))
    assert settings is not None
    return open_forge(settings)


def project(gitlab: GitLab, name: str = "") -> ForgeProject:
    return ForgeProject(gitlab.url, name or str(gitlab.project.id))


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("opened", MergeRequestState.OPEN),
        ("locked", MergeRequestState.OPEN),
        ("merged", MergeRequestState.MERGED),
        ("closed", MergeRequestState.CLOSED),
    ],
)
async def test_a_merge_request_is_read(
    gitlab: GitLab, opened: Forge, said: str, state: MergeRequestState
) -> None:
    gitlab.project.merge_requests[12].state = said
    found = await opened.merge_request(project(gitlab), "12")
    assert (found.state, found.iid) == (state, "12")
    assert (found.source_branch, found.target_branch) == ("feature/basket", "main")
    assert found.url.endswith("/shop/web/-/merge_requests/12")
    assert found.sha == "a" * 40


async def test_the_note_is_written_once_and_edited_in_place(gitlab: GitLab, opened: Forge) -> None:
    for number in range(150):
        gitlab.project.note(12, f"Remark {number}")
    gitlab.project.note(12, f"> {MARKER}\nWhat does it mean?")
    for body in (BODY, BODY, f"{BODY}\nFor 2 hours.", f"{BODY}\nFor 2 hours."):
        await opened.put_note(project(gitlab), "12", MARKER, body)
    notes = gitlab.project.merge_requests[12].notes
    assert [note.body for note in notes[151:]] == [f"{BODY}\nFor 2 hours."]
    assert [request.method for request in gitlab.writes()] == ["POST", "PUT"]
    assert await opened.find_note(project(gitlab), "12", MARKER) == notes[-1].body


async def test_of_several_notes_the_oldest_is_edited_and_none_is_deleted(
    gitlab: GitLab, opened: Forge
) -> None:
    first, second = (gitlab.project.note(12, MARKER, "envctl-bot") for _ in range(2))
    await opened.put_note(project(gitlab), "12", MARKER, BODY)
    assert (first.body, second.body) == (BODY, MARKER)


async def test_a_copied_marker_does_not_take_the_note_away(gitlab: GitLab, opened: Forge) -> None:
    theirs = gitlab.project.note(12, f"{MARKER} mine now", "mallory")
    for body in (BODY, f"{BODY} Again."):
        await opened.put_note(project(gitlab), "12", MARKER, body)
    notes = gitlab.project.merge_requests[12].notes
    assert [note.body for note in notes] == [theirs.body, f"{BODY} Again."]


PASSING = [
    Fault.RATE_LIMITED,
    Fault.BAD_GATEWAY,
    Fault.HTML,
    Fault.EMPTY_LIST,
    Fault.EMPTY_OBJECT,
    Fault.HALF,
    Fault.CUT_JSON,
    Fault.RESET,
    Fault.ERROR,
]


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_is_tried_again(gitlab: GitLab, opened: Forge, fault: Fault) -> None:
    gitlab.project.merge_requests[12].state = "merged"
    gitlab.fault(fault)
    found = await opened.merge_request(project(gitlab), "12")
    assert found.state is MergeRequestState.MERGED
    assert len(gitlab.requests) == 2


@pytest.mark.parametrize("fault", [*PASSING, Fault.SLOW, Fault.DRIP])
async def test_what_stays_is_no_answer_and_ends_in_time(
    gitlab: GitLab, opened: Forge, fault: Fault
) -> None:
    gitlab.fault(fault, times=None, delay=0.5)
    if fault is Fault.SLOW:
        gitlab.heal()
        gitlab.fault(fault, times=None, delay=10)
    began = time.monotonic()
    with pytest.raises(ForgeUnavailable) as caught, attempt.within(3):
        await opened.merge_request(project(gitlab), "12")
    assert time.monotonic() - began < 4
    said = caught.value
    assert said.exit_code == 75
    assert said.what == "GitLab did not read merge request !12."
    assert said.why
    assert said.next


@pytest.mark.parametrize(
    ("fault", "kind", "why", "next"),
    [
        (Fault.EXPIRED, ForgeForbidden, "Token is expired", "ENVCTL_FORGE_TOKEN"),
        (Fault.FORBIDDEN, ForgeForbidden, "may not", "`read_api`"),
        (Fault.NOT_FOUND, ForgeNotFound, "no such thing", "Reporter"),
        (Fault.SIGN_IN, ForgeUnavailable, "another page", "sign-in"),
        (Fault.ELSEWHERE, ForgeUnavailable, "another page", "sign-in"),
    ],
)
async def test_what_does_not_pass_is_not_tried_again(
    gitlab: GitLab, opened: Forge, fault: Fault, kind: type[EnvctlError], why: str, next: str
) -> None:
    gitlab.fault(fault, times=None)
    with pytest.raises(kind) as caught:
        await opened.merge_request(project(gitlab), "12")
    assert why in caught.value.why
    assert next in caught.value.next
    assert gitlab.token not in str(caught.value)
    assert len(gitlab.requests) == 1


async def test_retry_after_is_waited_for_and_never_past_the_deadline(
    gitlab: GitLab, opened: Forge
) -> None:
    gitlab.fault(Fault.RATE_LIMITED, retry_after="2")
    told: list[float] = []
    began = time.monotonic()
    with attempt.within(20, lambda _n, _policy, _why, delay: told.append(delay)):
        await opened.merge_request(project(gitlab), "12")
    assert time.monotonic() - began >= 2
    assert told
    assert told[0] >= 2
    gitlab.fault(Fault.RATE_LIMITED, retry_after="600", times=None)
    with pytest.raises(ForgeUnavailable, match="600 s of patience"), attempt.within(5):
        await opened.merge_request(project(gitlab), "12")
    assert len(gitlab.requests) == 3


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.BAD_GATEWAY, Fault.HALF, Fault.CUT_JSON])
async def test_a_note_whose_answer_was_lost_is_looked_for_before_it_is_written_again(
    gitlab: GitLab, opened: Forge, fault: Fault
) -> None:
    gitlab.fault(fault, method="POST", after=True)
    await opened.put_note(project(gitlab), "12", MARKER, BODY)
    assert [note.body for note in gitlab.project.merge_requests[12].notes] == [BODY]
    assert len(gitlab.writes()) == 1


async def test_a_note_that_was_not_written_is_written(gitlab: GitLab, opened: Forge) -> None:
    gitlab.fault(Fault.RESET, method="POST", times=2)
    await opened.put_note(project(gitlab), "12", MARKER, BODY)
    assert [note.body for note in gitlab.project.merge_requests[12].notes] == [BODY]
    assert len(gitlab.writes()) == 3


async def test_a_renamed_project_is_found_by_its_number_and_by_its_old_path(
    gitlab: GitLab, opened: Forge
) -> None:
    gitlab.project.rename("store/web")
    for name in ("7", "store/web", "shop/web"):
        found = await opened.merge_request(project(gitlab, name), "12")
        assert "/store/web/" in found.url
    await opened.put_note(project(gitlab), "12", MARKER, BODY)
    with pytest.raises(ForgeUnavailable, match="moved projects"):
        await opened.put_note(project(gitlab, "shop/web"), "12", MARKER, f"{BODY}!")


async def test_the_token_goes_to_no_other_server(
    gitlab: GitLab, opened: Forge, tmp_path: Path
) -> None:
    other = GitLab(tmp_path / "other", secure=False)
    other.project.open(12)
    other.start()
    gitlab.fault(
        Fault.ELSEWHERE, location=f"{other.url}/api/v4/projects/7/merge_requests/12", times=None
    )
    with pytest.raises(ForgeUnavailable):
        await opened.merge_request(project(gitlab), "12")
    with pytest.raises(ForgeNotFound, match="belongs to"):
        await opened.merge_request(ForgeProject(other.url, "7"), "12")
    assert not other.requests
    other.stop()


async def test_an_answer_about_something_else_is_none(gitlab: GitLab, opened: Forge) -> None:
    merge_request = gitlab.project.merge_requests[12]
    for field, value in (("iid", 13), ("state", "abandoned")):
        before = getattr(merge_request, field)
        setattr(merge_request, field, value)
        with pytest.raises(ForgeUnavailable, match="Its answer is"), attempt.within(2):
            await opened.merge_request(project(gitlab), "12")
        setattr(merge_request, field, before)
    gitlab.project.id = 8
    gitlab.project.moved_from.append("7")
    with pytest.raises(ForgeUnavailable, match="not about this project"), attempt.within(2):
        await opened.merge_request(project(gitlab, "7"), "12")


async def test_statuses_are_set_once(gitlab: GitLab, opened: Forge) -> None:
    async def say(state: StatusState, text: str = "It is being made.") -> None:
        await opened.set_status(
            project(gitlab), "a" * 40, state, name="envctl/mr-12", url="https://x", description=text
        )

    for _ in range(2):
        await say(StatusState.RUNNING)
    await say(StatusState.RUNNING, "It is being tested.")  # which GitLab refuses
    gitlab.fault(Fault.RESET, method="POST", after=True)
    for _ in range(2):
        await say(StatusState.SUCCESS, "It is ready.")
    assert [(s.status, s.description) for s in gitlab.project.statuses] == [
        ("success", "It is ready.")
    ]
    assert len(gitlab.writes()) == 3


async def test_an_environment_is_stopped_without_its_job(gitlab: GitLab, opened: Forge) -> None:
    environment = gitlab.project.environment("review/feature-basket")
    gitlab.fault(Fault.RESET, method="POST", after=True)
    for _ in range(2):
        assert await opened.stop_environment(project(gitlab), "review/feature-basket")
    assert (environment.state, environment.stops) == ("stopped", 0)
    assert len(gitlab.writes()) == 1
    assert not await opened.stop_environment(project(gitlab), "review/nobody")


async def test_a_job_token_reads_and_stops_and_says_what_it_may_not(
    gitlab: GitLab, tmp_path: Path
) -> None:
    gitlab.project.open(12)
    gitlab.project.environment("review/x")
    job = connect(gitlab, tmp_path, ENVCTL_FORGE_TOKEN="")
    await job.merge_request(project(gitlab), "12")
    assert await job.stop_environment(project(gitlab), "review/x")
    asked = len(gitlab.requests)
    with pytest.raises(ForgeForbidden, match=r"CI_JOB_TOKEN may not.*ENVCTL_FORGE_TOKEN.*`api`"):
        await job.put_note(project(gitlab), "12", MARKER, BODY)
    assert len(gitlab.requests) == asked
    await job.close()


async def test_a_scope_that_is_missing_is_named(gitlab: GitLab, opened: Forge) -> None:
    gitlab.tokens[gitlab.token] = Token(scopes=("read_api",))
    await opened.merge_request(project(gitlab), "12")
    with pytest.raises(ForgeForbidden, match=r"insufficient|higher privileges") as caught:
        await opened.put_note(project(gitlab), "12", MARKER, BODY)
    assert "`api`" in caught.value.next


@pytest.mark.parametrize(
    ("token", "can"),
    [
        (Token(), {Ability.READ, Ability.NOTES, Ability.STATUSES, Ability.ENVIRONMENTS}),
        (Token(role=REPORTER), {Ability.READ, Ability.NOTES}),
        (Token(scopes=("read_api",), role=MAINTAINER), {Ability.READ}),
        (Token(scopes=("read_repository",)), set()),
        (Token(role=GUEST), set()),
    ],
)
async def test_what_a_token_can_do_is_found_out(
    gitlab: GitLab, opened: Forge, token: Token, can: set[Ability]
) -> None:
    gitlab.tokens[gitlab.token] = token
    found = await opened.probe(project(gitlab))
    assert found.can == can
    assert set(found.cannot) == set(Ability) - can
    assert found.expires == "2031-01-01"
    assert not gitlab.writes()


async def test_what_a_job_token_can_do_is_known(gitlab: GitLab, tmp_path: Path) -> None:
    gitlab.project.open(12)
    job = connect(gitlab, tmp_path, ENVCTL_FORGE_TOKEN="")
    found = await job.probe(project(gitlab))
    assert found.can == {Ability.READ, Ability.ENVIRONMENTS}
    assert all("ENVCTL_FORGE_TOKEN" in needs for needs in found.cannot.values())
    await job.close()


async def test_a_token_that_has_expired_can_do_nothing(gitlab: GitLab, opened: Forge) -> None:
    gitlab.tokens[gitlab.token].expired = True
    with pytest.raises(ForgeForbidden, match="ENVCTL_FORGE_TOKEN"):
        await opened.probe(project(gitlab))


async def test_a_certificate_by_a_private_ca_is_refused_without_it(
    gitlab: GitLab, tmp_path: Path
) -> None:
    gitlab.project.open(12)
    strict = connect(gitlab, tmp_path, CI_SERVER_TLS_CA_FILE="")
    with pytest.raises(ForgeUnavailable, match="ENVCTL_FORGE_CA_FILE"):
        await strict.merge_request(project(gitlab), "12")
    await strict.close()


async def test_a_forge_that_is_down_is_unavailable(gitlab: GitLab, opened: Forge) -> None:
    gitlab.stop()
    with pytest.raises(ForgeUnavailable, match="The connection to"), attempt.within(2):
        await opened.merge_request(project(gitlab), "12")


async def test_a_call_that_is_cancelled_leaves_no_thread_that_waits(
    gitlab: GitLab, opened: Forge
) -> None:
    gitlab.fault(Fault.SLOW, times=None, delay=20)
    calls = [asyncio.create_task(opened.merge_request(project(gitlab), "12")) for _ in range(12)]
    await asyncio.to_thread(until, lambda: len(gitlab.requests) >= 8, seconds=10)
    for call in calls:
        call.cancel()
    began = time.monotonic()
    await asyncio.gather(*calls, return_exceptions=True)
    gitlab.heal()  # every thread and connection was taken: the next call needs them
    with attempt.within(5):
        await opened.merge_request(project(gitlab), "12")
    await opened.close()
    left = [t for t in threading.enumerate() if t.name.startswith("forge")]
    await asyncio.to_thread(until, lambda: not any(t.is_alive() for t in left), seconds=5)
    assert time.monotonic() - began < 6


async def test_many_ask_at_once(gitlab: GitLab, opened: Forge) -> None:
    found = await asyncio.gather(*(opened.merge_request(project(gitlab), "12") for _ in range(60)))
    assert len(found) == 60
