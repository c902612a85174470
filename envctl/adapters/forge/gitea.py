"""Gitea, Forgejo and GitHub, by the part of the API that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from envctl.adapters.forge import answers, notes
from envctl.adapters.forge.answers import Asked, incomplete
from envctl.adapters.forge.channel import Channel
from envctl.adapters.forge.gitea_access import NOTE, READ, WRITE, access
from envctl.adapters.forge.guard import CALL_TIMEOUT, check_project
from envctl.adapters.retrying import retrying
from envctl.model import step
from envctl.model.forge import MergeRequest, MergeRequestState, StatusState
from envctl.ports import attempt
from envctl.ports.forge import ForgeForbidden, ForgeNotFound, ForgeUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx

    from envctl.config.forge import ForgeSettings
    from envctl.model.forge import ForgeAccess, ForgeProject

T = TypeVar("T")
_STATUSES = {
    StatusState.RUNNING: "pending",
    StatusState.SUCCESS: "success",
    StatusState.FAILED: "failure",
}


class GiteaForge:
    """One Gitea, Forgejo or GitHub through one token (ports/forge.py)."""

    def __init__(self, settings: ForgeSettings) -> None:
        self.kind = settings.title
        self.server = settings.server
        self._settings = settings
        credential = {"Authorization": f"token {settings.token}"} if settings.token else {}
        self._channel = Channel(settings, credential)

    async def merge_request(self, project: ForgeProject, iid: str) -> MergeRequest:
        """How a pull request stands."""
        asked = Asked(self._settings, f"read pull request #{iid}", READ)

        async def read() -> MergeRequest:
            url = f"{self._repository(project)}/pulls/{quote(iid, safe='')}"
            response = await self._channel.send(asked, "GET", url)
            return _pull_request(answers.complete(response, asked, dict), iid, asked)

        return await self._do(asked, project, read)

    async def put_note(self, project: ForgeProject, iid: str, marker: str, body: str) -> None:
        """Edit the comment that carries the marker, else write it."""
        asked = Asked(self._settings, f"take the comment on pull request #{iid}", NOTE)
        self._refuse_anonymous(asked)

        async def put() -> None:
            async for note in self._marked(project, iid, marker, asked):
                if notes.same(note, body):
                    return
                url = f"{self._repository(project)}/issues/comments/{int(note['id'])}"
                try:
                    await self._channel.send(asked, "PATCH", url, body={"body": body})
                except (ForgeForbidden, ForgeNotFound):
                    continue  # somebody else's, who copied the marker; or deleted in between
                return
            await self._channel.send(asked, "POST", self._comments(project, iid),
                                     body={"body": body})  # fmt: skip

        await self._do(asked, project, put)

    async def find_note(self, project: ForgeProject, iid: str, marker: str) -> str | None:
        """The text of the oldest comment that carries the marker."""
        asked = Asked(self._settings, f"show the comments on pull request #{iid}", READ)

        async def find() -> str | None:
            async for note in self._marked(project, iid, marker, asked):
                return str(note["body"])
            return None

        return await self._do(asked, project, find)

    async def set_status(
        self,
        project: ForgeProject,
        sha: str,
        state: StatusState,
        *,
        name: str,
        url: str,
        description: str,
    ) -> None:
        """Set a commit status, unless it is so already."""
        asked = Asked(self._settings, f"take the status of commit {sha[:8]}", WRITE)
        self._refuse_anonymous(asked)
        # 140 characters is what GitHub takes.
        wanted = {"state": _STATUSES[state], "context": name, "target_url": url,
                  "description": description[:140]}  # fmt: skip
        commit = quote(sha, safe="")

        async def put() -> None:
            latest = f"{self._repository(project)}/commits/{commit}/status"
            answer = answers.complete(await self._channel.send(asked, "GET", latest), asked, dict)
            if any(_says(status, wanted) for status in answer.get("statuses") or ()):
                return
            await self._channel.send(
                asked, "POST", f"{self._repository(project)}/statuses/{commit}", body=wanted
            )

        await self._do(asked, project, put)

    async def stop_environment(self, project: ForgeProject, name: str) -> bool:  # noqa: ARG002
        """False: these forges know no environments."""
        return False

    async def probe(self, project: ForgeProject) -> ForgeAccess:
        """What the token can do, by writes that cannot succeed because they say nothing."""
        asked = Asked(self._settings, "show what the token may do", READ)
        return await self._do(
            asked, project, lambda: access(self._channel, self._repository(project), asked)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._channel.close()

    async def _do(self, asked: Asked, project: ForgeProject, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and again as a whole after an outage: each ``work`` looks before it writes."""
        check_project(project, asked)
        with attempt.within(CALL_TIMEOUT):
            return await retrying(step.FORGE, work)

    async def _marked(
        self, project: ForgeProject, iid: str, marker: str, asked: Asked
    ) -> AsyncIterator[dict[str, Any]]:
        """The comments that carry the marker, oldest first; all pages, however they are cut."""
        seen: set[int] = set()
        page = 1
        while len(seen) < notes.MOST:
            params = {"page": page, "limit": notes.PAGE, "per_page": notes.PAGE}
            response = await self._channel.send(
                asked, "GET", self._comments(project, iid), params=params
            )
            listed = answers.complete(response, asked, list)
            for note in listed:
                if not isinstance(note, dict) or not isinstance(note.get("id"), int):
                    raise incomplete(asked, "lists something that is no comment")
            new = [note for note in listed if note["id"] not in seen]
            seen |= {note["id"] for note in new}
            for note in sorted(new, key=lambda note: int(note["id"])):
                if notes.carries(note, marker):
                    yield note
            # Gitea gives all comments on every page; GitHub says by a link that there is more.
            if not new or _last(response, len(seen)):
                return
            page += 1
        raise ForgeUnavailable(
            asked.what,
            why=f"There are more than {notes.MOST} comments, and envctl's is not among them.",
            next="Open a new pull request.",
        )

    def _repository(self, project: ForgeProject) -> str:
        return f"{self._settings.api}/repos/{quote(project.project)}"

    def _comments(self, project: ForgeProject, iid: str) -> str:
        return f"{self._repository(project)}/issues/{quote(iid, safe='')}/comments"

    def _refuse_anonymous(self, asked: Asked) -> None:
        if not self._settings.token:
            raise ForgeForbidden(
                asked.what, why="There is no token.",
                next=f"Set ENVCTL_FORGE_TOKEN, or pass GITHUB_TOKEN on to the step. {asked.needs}",
            )  # fmt: skip


def _pull_request(found: dict[str, Any], iid: str, asked: Asked) -> MergeRequest:
    """Read an answer; one that is about something else, or in an unknown state, is none."""
    if str(found.get("number")) != iid:
        raise incomplete(asked, "is not about this pull request")
    state, merged = found.get("state"), found.get("merged")
    head, base = found.get("head"), found.get("base")
    if state not in ("open", "closed") or not isinstance(merged, bool):
        raise incomplete(asked, "is in no state that a pull request can be in")
    if not isinstance(head, dict) or not isinstance(base, dict):
        raise incomplete(asked, "does not say which branches it is about")
    ended = MergeRequestState.MERGED if merged else MergeRequestState.CLOSED
    texts = (head.get("ref"), base.get("ref"), found.get("html_url"), head.get("sha"))
    return MergeRequest(
        iid,
        MergeRequestState.OPEN if state == "open" else ended,
        *(text if isinstance(text, str) else "" for text in texts),
    )


def _says(status: Any, wanted: dict[str, str]) -> bool:
    """Whether a commit's status is the wanted one; Gitea calls the state ``status``."""
    if not isinstance(status, dict):
        return False
    found = {**status, "state": status.get("status") or status.get("state")}
    return all((found.get(key) or "") == value for key, value in wanted.items())


def _last(response: httpx.Response, seen: int) -> bool:
    """Whether the answer says that no page follows it."""
    total = response.headers.get("x-total-count", "")
    if "link" in response.headers:
        return "next" not in response.links
    return bool(total.isdigit() and seen >= int(total))
