"""python-gitlab over our channel: what the library would decide, the channel decides."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from envctl.adapters.forge import open_forge
from envctl.config.forge import ForgeSettings
from envctl.model import step
from envctl.model.forge import ForgeProject, MergeRequestState
from envctl.ports.forge import ForgeNotFound, ForgeUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from envctl.ports.forge import Forge

SERVER = "https://git.example.org:8443/git"
API = f"{SERVER}/api/v4"
PROJECT = ForgeProject(SERVER, "7")
MERGE_REQUEST = f"{API}/projects/7/merge_requests/12"
NOTES = f"{MERGE_REQUEST}/notes"
MARKER = "<!-- envctl -->"
SETTINGS = ForgeSettings("gitlab", SERVER, API, "gitlab-secret", "ENVCTL_FORGE_TOKEN")
FOUND = {"iid": 12, "project_id": 7, "state": "opened"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "FORGE", replace(step.FORGE, first=0.0, cap=0.0))


@pytest.fixture
def api() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


@pytest.fixture
async def gitlab() -> AsyncIterator[Forge]:
    found = open_forge(SETTINGS)
    yield found
    await found.close()


async def test_the_token_is_sent_as_what_it_is(api: respx.MockRouter, gitlab: Forge) -> None:
    route = api.get(MERGE_REQUEST).respond(json=FOUND)
    await gitlab.merge_request(PROJECT, "12")
    assert route.calls.last.request.headers["private-token"] == "gitlab-secret"
    job = open_forge(replace(SETTINGS, token="job-secret", variable="CI_JOB_TOKEN"))
    await job.merge_request(PROJECT, "12")
    sent = route.calls.last.request.headers
    assert (sent["job-token"], sent.get("private-token")) == ("job-secret", None)
    await job.close()


async def test_a_project_may_be_named_by_its_path(api: respx.MockRouter, gitlab: Forge) -> None:
    route = api.route(host="git.example.org").respond(json=FOUND)
    await gitlab.merge_request(ForgeProject(SERVER, "shop/group/web"), "12")
    path = route.calls.last.request.url.raw_path
    assert path == b"/git/api/v4/projects/shop%2Fgroup%2Fweb/merge_requests/12"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 409])
async def test_the_library_tries_nothing_again_itself(
    api: respx.MockRouter, gitlab: Forge, status: int
) -> None:
    route = api.get(MERGE_REQUEST).respond(status, headers={"retry-after": "0"})
    with pytest.raises(ForgeUnavailable):
        await gitlab.merge_request(PROJECT, "12")
    assert route.call_count == step.FORGE.attempts


@pytest.mark.parametrize(
    "found",
    [
        {**FOUND, "iid": 120},
        {**FOUND, "iid": None},
        {**FOUND, "project_id": 70},
        {**FOUND, "state": "reopened"},
        {**FOUND, "state": ["closed"]},
        {"message": "closed"},
        [],
        [FOUND],
        "closed",
        None,
    ],
)
async def test_only_a_whole_answer_about_this_one_is_one(
    api: respx.MockRouter, gitlab: Forge, found: Any
) -> None:
    api.get(MERGE_REQUEST).respond(json=found)
    with pytest.raises(ForgeUnavailable):
        await gitlab.merge_request(PROJECT, "12")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


CHANGED = {
    "iid": st.sampled_from([12, "12", 13, 120, 12.0, True]) | ANYTHING,
    "project_id": st.sampled_from([7, "7", 70, True, False]) | ANYTHING,
    "state": st.sampled_from(["opened", "open", "closed", "merged", "Closed", "closed "]),
    "sha": ANYTHING,
}


@pytest.fixture(scope="module")
def asking() -> Iterator[tuple[asyncio.AbstractEventLoop, dict[str, Forge]]]:
    """One loop and one forge of each kind, for all the examples of a property."""
    loop = asyncio.new_event_loop()
    opened = {kind: open_forge(replace(SETTINGS, kind=kind)) for kind in ("gitlab", "gitea")}
    yield loop, opened
    for forge in opened.values():
        loop.run_until_complete(forge.close())
    loop.close()


@settings(max_examples=150)
@given(
    changed=st.fixed_dictionaries({}, optional=CHANGED), kind=st.sampled_from(["gitlab", "gitea"])
)
def test_no_odd_answer_ends_a_merge_request(
    asking: tuple[asyncio.AbstractEventLoop, dict[str, Forge]], changed: dict[str, Any], kind: str
) -> None:
    """Law 5, as a property: it has ended only if the forge said so, about this very one."""
    loop, opened = asking
    said = {**FOUND, **changed}
    if kind == "gitea":
        said = {"number": said["iid"], "state": said["state"], "merged": said["project_id"],
                "head": {"sha": said.get("sha")}, "base": {}}  # fmt: skip
    project = ForgeProject(SERVER, "7" if kind == "gitlab" else "shop/web")

    async def ask() -> MergeRequestState:
        with respx.mock as router:
            router.route().respond(json=said)
            return (await opened[kind].merge_request(project, "12")).state

    try:
        state = loop.run_until_complete(ask())
    except ForgeUnavailable:
        return
    about_it = str(said.get("iid", said.get("number"))) == "12"
    whole = said["merged"] in (True, False) if kind == "gitea" else str(said["project_id"]) == "7"
    assert about_it
    assert whole
    assert state.ended == (said["state"] in ("closed", "merged"))


async def test_a_web_page_that_says_ok_is_no_answer(api: respx.MockRouter, gitlab: Forge) -> None:
    page = "<!DOCTYPE html><html><title>Sign in</title></html>"
    api.get(MERGE_REQUEST).respond(200, html=page)
    api.get(NOTES).respond(200, html=page)
    for call in (
        gitlab.merge_request(PROJECT, "12"),
        gitlab.put_note(PROJECT, "12", MARKER, MARKER),
    ):
        with pytest.raises(ForgeUnavailable, match="a web page"):
            await call


@pytest.mark.parametrize("listed", [{}, {"message": "x"}, [None], ["x"], [[]], None])
async def test_what_is_no_list_of_notes_is_not_taken_for_an_empty_one(
    api: respx.MockRouter, gitlab: Forge, listed: Any
) -> None:
    api.get(NOTES).respond(json=listed)
    posted = api.post(NOTES).respond(201, json={"id": 1})
    with pytest.raises(ForgeUnavailable):
        await gitlab.put_note(PROJECT, "12", MARKER, MARKER)
    assert posted.call_count == 0


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example.org/api/v4/x", "http://169.254.169.254/latest"]
)
async def test_the_next_page_is_never_on_another_server(
    api: respx.MockRouter, gitlab: Forge, link: str
) -> None:
    api.get(NOTES).respond(json=[], headers={"link": f'<{link}?per_page=100>; rel="next"'})
    ours = api.route(host="git.example.org").respond(404)
    other = api.route().respond(json=[])
    with pytest.raises((ForgeUnavailable, ForgeNotFound)):
        await gitlab.find_note(PROJECT, "12", MARKER)
    assert other.call_count == 0
    assert ours.call_count <= 1


async def test_a_wrong_external_url_in_the_forges_settings_does_no_harm(
    api: respx.MockRouter, gitlab: Forge
) -> None:
    internal = "https://gitlab.internal/api/v4/projects/7/merge_requests/12/notes"
    following = f'<{internal}?page=2&per_page=100>; rel="next"'
    pages = [
        httpx.Response(200, json=[{"id": 1, "body": "x"}], headers={"link": following}),
        httpx.Response(200, json=[{"id": 2, "body": f"{MARKER} here"}]),
    ]
    api.get(NOTES).mock(side_effect=pages)
    assert await gitlab.find_note(PROJECT, "12", MARKER) == f"{MARKER} here"


async def test_a_system_note_is_not_ours(api: respx.MockRouter, gitlab: Forge) -> None:
    api.get(NOTES).respond(json=[{"id": 1, "body": f"{MARKER} x", "system": True}])
    assert await gitlab.find_note(PROJECT, "12", MARKER) is None


async def test_the_states_of_a_merge_request_are_known(
    api: respx.MockRouter, gitlab: Forge
) -> None:
    api.get(MERGE_REQUEST).respond(json={**FOUND, "state": "locked", "web_url": None, "sha": 5})
    found = await gitlab.merge_request(PROJECT, "12")
    assert (found.state, found.url, found.sha) == (MergeRequestState.OPEN, "", "")


def test_who_needs_no_forge_pays_for_none() -> None:
    loaded = (
        "import sys, envctl.cli.main, envctl.cli.wiring, envctl.config.forge\n"
        "print(*{'httpx', 'gitlab', 'requests'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
