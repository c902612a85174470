"""GitLab, by python-gitlab."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from envctl.adapters.forge import answers, notes
from envctl.adapters.forge.answers import Asked, incomplete
from envctl.adapters.forge.backend import HttpxBackend, Threads
from envctl.adapters.forge.channel import Channel
from envctl.adapters.forge.gitlab_access import NOTE, READ, WRITE, access
from envctl.adapters.forge.guard import CALL_TIMEOUT, check_project
from envctl.adapters.retrying import retrying
from envctl.model import step
from envctl.model.forge import MergeRequest, MergeRequestState, StatusState
from envctl.ports import attempt
from envctl.ports.forge import ForgeForbidden, ForgeNotFound, ForgeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitlab import Gitlab
    from gitlab.v4.objects import Project, ProjectMergeRequestNote

    from envctl.config.forge import ForgeSettings
    from envctl.model.forge import ForgeAccess, ForgeProject

T = TypeVar("T")
#: ``locked`` is a merge request in the moment that it is merged: not merged yet.
_STATES = {
    "opened": MergeRequestState.OPEN,
    "locked": MergeRequestState.OPEN,
    "merged": MergeRequestState.MERGED,
    "closed": MergeRequestState.CLOSED,
}
_STATUSES = {
    StatusState.RUNNING: "running",
    StatusState.SUCCESS: "success",
    StatusState.FAILED: "failed",
}


class GitLabForge:
    """One GitLab through one token (ports/forge.py)."""

    def __init__(self, settings: ForgeSettings) -> None:
        self.kind = settings.title
        self.server = settings.server
        self._settings = settings
        self._threads = Threads()
        self._channel = Channel(settings, _credential(settings))
        self._library: Gitlab | None = None

    async def merge_request(self, project: ForgeProject, iid: str) -> MergeRequest:
        """How a merge request stands."""
        asked = Asked(self._settings, f"read merge request !{iid}", READ)
        return await self._do(
            asked, project,
            lambda found: _merge_request(
                found.mergerequests.get(iid).attributes, project, iid, asked
            ),
        )  # fmt: skip

    async def put_note(self, project: ForgeProject, iid: str, marker: str, body: str) -> None:
        """Edit the note that carries the marker, else write it."""
        asked = Asked(self._settings, f"take the note on merge request !{iid}", NOTE)
        self._refuse_job_token(asked)
        await self._do(asked, project, lambda found: _put(found, iid, marker, body, asked))

    async def find_note(self, project: ForgeProject, iid: str, marker: str) -> str | None:
        """The text of the oldest note that carries the marker."""
        asked = Asked(self._settings, f"show the notes on merge request !{iid}", READ)
        self._refuse_job_token(asked)

        def text(found: Project) -> str | None:
            return next((str(n.body) for n in _marked(found, iid, marker, asked)), None)

        return await self._do(asked, project, text)

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
        self._refuse_job_token(asked)
        wanted = {"state": _STATUSES[state], "name": name, "target_url": url,
                  "description": description[:255]}  # fmt: skip
        await self._do(asked, project, lambda found: _set_status(found, sha, wanted))

    async def stop_environment(self, project: ForgeProject, name: str) -> bool:
        """Mark GitLab's environment as stopped, without the job that its stopping would start."""
        asked = Asked(self._settings, f"stop its environment {name}", WRITE)
        return await self._do(asked, project, lambda found: _stop(found, name, asked))

    async def probe(self, project: ForgeProject) -> ForgeAccess:
        """What the token can do, by its scopes and its role in the project."""
        asked = Asked(self._settings, "show what the token may do", READ)
        return await self._do(asked, project, lambda found: access(found, self._settings))

    async def close(self) -> None:
        """Close the connections."""
        self._threads.close()
        await self._channel.close()

    async def _do(self, asked: Asked, project: ForgeProject, work: Callable[[Project], T]) -> T:
        """Do it in a thread, and again as a whole after an outage: each ``work`` looks first."""
        check_project(project, asked)

        async def once() -> T:
            return await self._threads.run(asked, lambda: self._work(asked, project, work))

        with attempt.within(CALL_TIMEOUT):
            return await retrying(step.FORGE, once)

    def _work(self, asked: Asked, project: ForgeProject, work: Callable[[Project], T]) -> T:
        from gitlab.exceptions import GitlabError

        try:
            return work(self._open().projects.get(project.project, lazy=True))
        except (GitlabError, AttributeError, KeyError, TypeError, ValueError) as error:
            # The library makes objects of whatever was sent, and stumbles over what is missing.
            raise incomplete(asked, "cannot be read by python-gitlab") from error

    def _open(self) -> Gitlab:
        if self._library is None:
            from gitlab import Gitlab

            self._library = Gitlab(
                self._settings.api.removesuffix("/api/v4"),
                backend=HttpxBackend,
                channel=self._channel,
                retry_transient_errors=False,
                keep_base_url=True,
            )
        return self._library

    def _refuse_job_token(self, asked: Asked) -> None:
        """Say what is missing before GitLab says 401 or 404 to a token that it never lets."""
        if self._settings.job_token or not self._settings.token:
            held = "CI_JOB_TOKEN may not do it" if self._settings.job_token else "There is no token"
            raise ForgeForbidden(
                asked.what, why=f"{held}.", next=f"Set ENVCTL_FORGE_TOKEN. {asked.needs}"
            )


def _credential(settings: ForgeSettings) -> dict[str, str]:
    if not settings.token:
        return {}
    return {"JOB-TOKEN" if settings.job_token else "PRIVATE-TOKEN": settings.token}


def _merge_request(
    found: dict[str, Any], project: ForgeProject, iid: str, asked: Asked
) -> MergeRequest:
    """Read an answer; one that is about something else, or in an unknown state, is none."""
    state = _STATES.get(str(found.get("state")))
    number = project.project
    if str(found.get("iid")) != iid:
        raise incomplete(asked, "is not about this merge request")
    if number.isdigit() and str(found.get("project_id")) != number:
        raise incomplete(asked, "is not about this project")
    if state is None:
        raise incomplete(asked, "is in no state that a merge request can be in")
    texts = (found.get(k) for k in ("source_branch", "target_branch", "web_url", "sha"))
    return MergeRequest(iid, state, *(text if isinstance(text, str) else "" for text in texts))


def _marked(
    project: Project, iid: str, marker: str, asked: Asked
) -> Iterator[ProjectMergeRequestNote]:
    """The notes that carry the marker, oldest first."""
    merge_request = project.mergerequests.get(iid, lazy=True)
    found = merge_request.notes.list(
        iterator=True, per_page=notes.PAGE, order_by="created_at", sort="asc"
    )
    for note in islice(found, notes.MOST):
        if notes.carries(note.attributes, marker):
            yield note
    if next(found, None) is not None:
        raise ForgeUnavailable(
            asked.what,
            why=f"There are more than {notes.MOST} notes, and envctl's is not among the first.",
            next="Open a new merge request.",
        )


def _put(project: Project, iid: str, marker: str, body: str, asked: Asked) -> None:
    for note in _marked(project, iid, marker, asked):
        if notes.same(note.attributes, body):
            return
        try:
            note.body = body
            note.save()
        except (ForgeForbidden, ForgeNotFound):
            continue  # somebody else's, who copied the marker; or deleted in between
        return
    project.mergerequests.get(iid, lazy=True).notes.create({"body": body})


def _set_status(project: Project, sha: str, wanted: dict[str, str]) -> None:
    commit = project.commits.get(sha, lazy=True)
    for status in commit.statuses.list(name=wanted["name"], per_page=notes.PAGE, get_all=False):
        found = {**status.attributes, "state": status.attributes.get("status")}
        if all((found.get(key) or "") == value for key, value in wanted.items()):
            return
    try:
        commit.statuses.create(wanted)
    except answers.Rejected as rejected:
        # One that is running cannot begin to: GitLab keeps the text that it has, and is right.
        if "Cannot transition status" not in rejected.said:
            raise


def _stop(project: Project, name: str, asked: Asked) -> bool:
    found = project.environments.list(name=name, per_page=notes.PAGE, get_all=False)
    environment = next((e for e in found if e.attributes.get("name") == name), None)
    if environment is None:
        return False
    if environment.attributes.get("state") != "stopped":
        # Its on_stop job is what asks, or would only find that everything is gone.
        path = f"{project.environments.path}/{environment.encoded_id}/stop"
        answer = environment.manager.gitlab.http_post(path, post_data={"force": True})
        if not isinstance(answer, dict) or answer.get("name") != name:
            raise answers.incomplete(asked, "is not about this environment")
    return True
