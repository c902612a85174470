"""The API that Gitea, Forgejo and GitHub share, answer by answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from envctl.adapters.forge import open_forge
from envctl.config.forge import ForgeSettings
from envctl.model import step
from envctl.model.forge import Ability, ForgeProject, MergeRequestState, StatusState
from envctl.ports import attempt
from envctl.ports.forge import ForgeForbidden, ForgeNotFound, ForgeUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from envctl.ports.forge import Forge

SERVER = "https://git.example.org/sub"
API = f"{SERVER}/api/v1"
REPOSITORY = f"{API}/repos/shop/web"
COMMENTS = f"{REPOSITORY}/issues/12/comments"
PROJECT = ForgeProject(SERVER, "shop/web")
SETTINGS = ForgeSettings("gitea", SERVER, API, "gitea-secret", "GITEA_TOKEN")
MARKER = "<!-- envctl:shop/mr-12 -->"
BODY = f"{MARKER}\n\nReady."
PULL = {
    "number": 12,
    "state": "open",
    "merged": False,
    "head": {"ref": "feature/basket", "sha": "a" * 40},
    "base": {"ref": "main"},
    "html_url": f"{SERVER}/shop/web/pulls/12",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "FORGE", replace(step.FORGE, first=0.001, cap=0.002))


@pytest.fixture
def api() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


@pytest.fixture
async def gitea() -> AsyncIterator[Forge]:
    found = open_forge(SETTINGS)
    yield found
    await found.close()


def said(router: respx.MockRouter, method: str) -> list[Any]:
    """The bodies of the requests of a method."""
    return [
        json.loads(call.request.content) for call in router.calls if call.request.method == method
    ]


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, MergeRequestState.OPEN),
        ({"state": "closed"}, MergeRequestState.CLOSED),
        ({"state": "closed", "merged": True}, MergeRequestState.MERGED),
    ],
)
async def test_a_pull_request_is_read(
    api: respx.MockRouter, gitea: Forge, changed: dict[str, Any], state: MergeRequestState
) -> None:
    route = api.get(f"{REPOSITORY}/pulls/12").respond(json={**PULL, **changed})
    found = await gitea.merge_request(PROJECT, "12")
    assert (found.state, found.iid, found.sha) == (state, "12", "a" * 40)
    assert (found.source_branch, found.target_branch) == ("feature/basket", "main")
    assert route.calls.last.request.headers["authorization"] == "token gitea-secret"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(200, json=None),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=json.dumps(PULL)[:60].encode()),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, json={**PULL, "number": 13}),
        httpx.Response(200, json={**PULL, "state": "abandoned"}),
        httpx.Response(200, json={**PULL, "state": "closed", "merged": None}),
        httpx.Response(200, json={**PULL, "state": "closed", "merged": "true"}),
        httpx.Response(200, json={**PULL, "head": None}),
        httpx.Response(204),
        httpx.Response(429, headers={"retry-after": "0"}),
        httpx.Response(403, headers={"x-ratelimit-remaining": "0"}),
        httpx.Response(500),
        httpx.Response(502, html="<html>Bad gateway</html>"),
        httpx.Response(503, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    ],
)
async def test_what_is_no_answer_is_asked_again_and_then_unavailable(
    api: respx.MockRouter, gitea: Forge, answer: httpx.Response
) -> None:
    route = api.get(f"{REPOSITORY}/pulls/12").mock(return_value=answer)
    with pytest.raises(ForgeUnavailable) as caught:
        await gitea.merge_request(PROJECT, "12")
    assert route.call_count == step.FORGE.attempts
    assert caught.value.what == "Gitea did not read pull request #12."
    assert caught.value.why
    assert caught.value.next
    route.mock(side_effect=[answer, httpx.Response(200, json=PULL)])
    assert (await gitea.merge_request(PROJECT, "12")).state is MergeRequestState.OPEN


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection"),
        httpx.ReadError("reset"),
    ],
)
async def test_a_broken_connection_is_unavailable(
    api: respx.MockRouter, gitea: Forge, error: Exception
) -> None:
    route = api.get(f"{REPOSITORY}/pulls/12").mock(side_effect=error)
    with pytest.raises(ForgeUnavailable):
        await gitea.merge_request(PROJECT, "12")
    assert route.call_count == step.FORGE.attempts


@pytest.mark.parametrize(
    ("status", "message", "kind", "why", "next"),
    [
        (401, "token is expired", ForgeForbidden, "does not accept the token", "GITEA_TOKEN"),
        (403, "token does not have at least one of required scope(s)", ForgeForbidden,
         "required scope", "`read:repository`"),
        (404, "The target couldn't be found.", ForgeNotFound, "no such thing", "project"),
        (400, "bad gitea-secret", ForgeUnavailable, "400 (bad [token])", "version"),
    ],
)  # fmt: skip
async def test_what_does_not_pass_is_said_at_once(
    api: respx.MockRouter, gitea: Forge, status: int, message: str, kind: type, why: str, next: str
) -> None:
    route = api.get(f"{REPOSITORY}/pulls/12").respond(status, json={"message": message})
    with pytest.raises(kind) as caught:
        await gitea.merge_request(PROJECT, "12")
    assert route.call_count == 1
    assert why in caught.value.why
    assert next in caught.value.next
    assert "gitea-secret" not in str(caught.value)


async def test_a_renamed_repository_is_followed_on_the_same_server_only(
    api: respx.MockRouter, gitea: Forge
) -> None:
    api.get(f"{REPOSITORY}/pulls/12").respond(
        307, headers={"location": "/sub/api/v1/repos/store/web/pulls/12"}
    )
    moved = api.get(f"{API}/repos/store/web/pulls/12").respond(json=PULL)
    assert (await gitea.merge_request(PROJECT, "12")).iid == "12"
    assert moved.calls.last.request.headers["authorization"] == "token gitea-secret"


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example.org/sub/api/v1/repos/shop/web/pulls/12",
        "http://git.example.org/sub/api/v1/repos/shop/web/pulls/12",
        "https://git.example.org:8443/sub/api/v1/repos/shop/web/pulls/12",
        "https://x@git.example.org/sub/api/v1/repos/shop/web/pulls/12",
        "https://git.example.org/user/login",
        "https://git.example.org/sub/api/v1/../../other",
        "//elsewhere.example.org/sub/api/v1/",
        "",
        "https://[",
    ],
)
async def test_no_redirect_takes_the_token_away(
    api: respx.MockRouter, gitea: Forge, location: str
) -> None:
    api.get(f"{REPOSITORY}/pulls/12").respond(302, headers={"location": location})
    other = api.route().respond(json=PULL)
    with pytest.raises(ForgeUnavailable):
        await gitea.merge_request(PROJECT, "12")
    assert other.call_count == 0


async def test_a_redirect_in_a_circle_ends(api: respx.MockRouter, gitea: Forge) -> None:
    url = f"{REPOSITORY}/pulls/12"
    route = api.get(url).respond(301, headers={"location": url})
    with pytest.raises(ForgeUnavailable):
        await gitea.merge_request(PROJECT, "12")
    assert route.call_count == 4


async def test_a_comment_is_edited_through_a_rename(api: respx.MockRouter, gitea: Forge) -> None:
    api.get(COMMENTS).respond(json=[{"id": 1, "body": MARKER}], headers={"x-total-count": "1"})
    api.patch(f"{REPOSITORY}/issues/comments/1").respond(
        307, headers={"location": f"{API}/repos/store/web/issues/comments/1"}
    )
    moved = api.patch(f"{API}/repos/store/web/issues/comments/1").respond(json={"id": 1})
    await gitea.put_note(PROJECT, "12", MARKER, BODY)
    assert json.loads(moved.calls.last.request.content) == {"body": BODY}


async def test_the_first_note_is_written(api: respx.MockRouter, gitea: Forge) -> None:
    api.get(COMMENTS).respond(json=[{"id": 1, "body": f"> {MARKER}"}])
    api.post(COMMENTS).respond(201, json={"id": 2})
    await gitea.put_note(PROJECT, "12", MARKER, BODY)
    assert said(api, "POST") == [{"body": BODY}]


async def test_a_note_that_says_it_already_is_left_alone(
    api: respx.MockRouter, gitea: Forge
) -> None:
    api.get(COMMENTS).respond(json=[{"id": 1, "body": BODY.replace("\n", "\r\n") + "\r\n"}])
    await gitea.put_note(PROJECT, "12", MARKER, BODY)
    assert {call.request.method for call in api.calls} == {"GET"}


async def test_of_several_the_oldest_that_may_be_edited_is(
    api: respx.MockRouter, gitea: Forge
) -> None:
    notes = [{"id": number, "body": f"{MARKER} {number}"} for number in (9, 3, 5)]
    api.get(COMMENTS).respond(json=notes, headers={"x-total-count": "3"})
    api.patch(f"{REPOSITORY}/issues/comments/3").respond(403)
    edited = api.patch(f"{REPOSITORY}/issues/comments/5").respond(json={"id": 5})
    await gitea.put_note(PROJECT, "12", MARKER, BODY)
    assert edited.call_count == 1
    assert not said(api, "POST")


@pytest.mark.parametrize("headers", [{"x-total-count": "250"}, {}])
@pytest.mark.parametrize("paged", [True, False])
async def test_every_page_is_read(
    api: respx.MockRouter, gitea: Forge, headers: dict[str, str], paged: bool
) -> None:
    notes = [{"id": n, "body": "x"} for n in range(1, 250)] + [{"id": 250, "body": BODY}]

    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        shown = notes[(number - 1) * 50 : number * 50] if paged else notes
        return httpx.Response(200, json=shown, headers=headers)

    route = api.get(COMMENTS).mock(side_effect=page)
    assert await gitea.find_note(PROJECT, "12", MARKER) == BODY
    asked = route.call_count
    assert await gitea.find_note(PROJECT, "12", "<!-- another -->") is None
    assert asked == (5 if paged else 1)
    assert route.call_count - asked <= 6


async def test_github_says_by_a_link_that_there_is_more(
    api: respx.MockRouter, gitea: Forge
) -> None:
    more = {"link": f'<{COMMENTS}?page=2>; rel="next", <{COMMENTS}?page=2>; rel="last"'}
    last = {"link": f'<{COMMENTS}?page=1>; rel="first"'}
    route = api.get(COMMENTS).mock(side_effect=[
        httpx.Response(200, json=[{"id": 1, "body": "x"}], headers=more),
        httpx.Response(200, json=[{"id": 2, "body": "y"}], headers=last),
    ])  # fmt: skip
    assert await gitea.find_note(PROJECT, "12", MARKER) is None
    assert route.call_count == 2


@pytest.mark.parametrize("listed", [[None], [{"body": "x"}], [{"id": "1", "body": "x"}]])
async def test_a_list_of_something_else_is_no_list_of_comments(
    api: respx.MockRouter, gitea: Forge, listed: list[Any]
) -> None:
    api.get(COMMENTS).respond(json=listed)
    with pytest.raises(ForgeUnavailable):
        await gitea.put_note(PROJECT, "12", MARKER, BODY)
    assert not said(api, "POST")


async def test_comments_without_end_are_not_read_without_end(
    api: respx.MockRouter, gitea: Forge
) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        first = int(request.url.params["page"]) * 1000
        return httpx.Response(200, json=[{"id": first + n, "body": "x"} for n in range(1000)])

    api.get(COMMENTS).mock(side_effect=page)
    with pytest.raises(ForgeUnavailable, match="more than 10000"):
        await gitea.put_note(PROJECT, "12", MARKER, BODY)
    assert not said(api, "POST")


async def test_a_lost_answer_is_looked_for(api: respx.MockRouter, gitea: Forge) -> None:
    notes: list[dict[str, Any]] = []

    def write(request: httpx.Request) -> httpx.Response:
        notes.append({"id": 1, "body": json.loads(request.content)["body"]})
        raise httpx.ReadError("reset")

    api.get(COMMENTS).mock(side_effect=lambda _: httpx.Response(200, json=notes))
    posted = api.post(COMMENTS).mock(side_effect=write)
    await gitea.put_note(PROJECT, "12", MARKER, BODY)
    assert posted.call_count == 1


async def test_a_status_is_set_unless_it_is_so(api: respx.MockRouter, gitea: Forge) -> None:
    same = {"status": "success", "context": "envctl", "target_url": "https://x",
            "description": "Ready."}  # fmt: skip
    latest = api.get(f"{REPOSITORY}/commits/{'a' * 40}/status")
    posted = api.post(f"{REPOSITORY}/statuses/{'a' * 40}").respond(201, json={})

    async def say(state: StatusState) -> None:
        await gitea.set_status(
            PROJECT, "a" * 40, state, name="envctl", url="https://x", description="Ready."
        )

    latest.respond(json={"state": "success", "statuses": [same]})
    await say(StatusState.SUCCESS)
    assert posted.call_count == 0
    await say(StatusState.FAILED)
    latest.respond(json={"statuses": None})
    await say(StatusState.RUNNING)
    assert [body["state"] for body in said(api, "POST")] == ["failure", "pending"]


async def test_there_are_no_environments_to_stop(gitea: Forge) -> None:
    assert await gitea.stop_environment(PROJECT, "review/x") is False


async def test_without_a_token_nothing_is_written(api: respx.MockRouter) -> None:
    nobody = open_forge(replace(SETTINGS, token="", variable=""))
    with pytest.raises(ForgeForbidden, match="ENVCTL_FORGE_TOKEN"):
        await nobody.put_note(PROJECT, "12", MARKER, BODY)
    assert not api.calls
    route = api.get(f"{REPOSITORY}/pulls/12").respond(json=PULL)
    assert (await nobody.merge_request(PROJECT, "12")).iid == "12"
    assert "authorization" not in route.calls.last.request.headers
    await nobody.close()


@pytest.mark.parametrize(
    "project",
    [
        ForgeProject("https://elsewhere.example.org", "shop/web"),
        ForgeProject(SERVER, "shop/../../../admin"),
        ForgeProject(SERVER, "../web"),
        ForgeProject(SERVER, "shop/web?x=1"),
        ForgeProject(SERVER, "shop web"),
    ],
)
async def test_only_projects_of_this_forge_are_asked_about(
    api: respx.MockRouter, gitea: Forge, project: ForgeProject
) -> None:
    with pytest.raises(ForgeNotFound):
        await gitea.merge_request(project, "12")
    assert not api.calls


async def test_a_retry_is_told_and_ends_with_the_step(api: respx.MockRouter, gitea: Forge) -> None:
    api.get(f"{REPOSITORY}/pulls/12").respond(429, headers={"retry-after": "3600"})
    told: list[str] = []
    with (
        pytest.raises(ForgeUnavailable, match="3600 s of patience"),
        attempt.within(5, lambda _n, policy, _why, _delay: told.append(policy)),
    ):
        await gitea.merge_request(PROJECT, "12")
    assert not told
    answers = [httpx.Response(503), httpx.Response(200, json=PULL)]
    api.get(f"{REPOSITORY}/pulls/12").mock(side_effect=answers)
    with attempt.within(5, lambda _n, policy, _why, _delay: told.append(policy)):
        await gitea.merge_request(PROJECT, "12")
    assert told == ["forge"]


async def test_an_answer_that_comes_too_slowly_ends_with_the_step(
    api: respx.MockRouter, gitea: Forge
) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    api.get(f"{REPOSITORY}/pulls/12").mock(side_effect=never)
    with pytest.raises(ForgeUnavailable, match="in time"), attempt.within(1.2):
        await gitea.merge_request(PROJECT, "12")


@pytest.mark.parametrize(
    ("comment", "status", "can"),
    [
        (422, 422, {Ability.READ, Ability.NOTES, Ability.STATUSES}),
        (422, 403, {Ability.READ, Ability.NOTES}),
        (404, 404, {Ability.READ, Ability.NOTES, Ability.STATUSES}),
        (403, 403, {Ability.READ}),
    ],
)
async def test_what_the_token_can_do_is_found_out_without_writing(
    api: respx.MockRouter, gitea: Forge, comment: int, status: int, can: set[Ability]
) -> None:
    api.get(f"{REPOSITORY}/pulls").respond(json=[])
    posts = [
        api.post(f"{REPOSITORY}/issues/0/comments").respond(comment, json={}),
        api.post(f"{REPOSITORY}/statuses/{'0' * 40}").respond(status, json={}),
    ]
    found = await gitea.probe(PROJECT)
    assert found.can == can
    assert set(found.cannot) == {Ability.READ, Ability.NOTES, Ability.STATUSES} - can
    for post in posts:
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(post.calls.last.request.content)
