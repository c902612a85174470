"""The endpoints that envctl uses, as GitLab answers them: who may, what is changed, what is said.

Written after GitLab's documented behaviour; routes, parameters and fields are held against its
published description by ``openapi``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.contract.gitlab_state import (
    DEVELOPER,
    GUEST,
    MAINTAINER,
    REPORTER,
    MergeRequest,
    Project,
    Status,
    Token,
    now,
)


@dataclass
class Request:
    """One request as it came; ``path`` is below /api/v4, and undecoded."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: Token | None
    header: str


@dataclass
class Answer:
    status: int
    document: Any
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    def __init__(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.answer = Answer(status, document, headers or {})


@dataclass
class GitLabState:
    """Everything there is, by project and token."""

    url: str = ""
    projects: dict[int, Project] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)


Handler = Callable[[GitLabState, Request, list[str]], Answer]
ROUTES: list[tuple[str, str, re.Pattern[str], Handler]] = []


def _route(method: str, template: str) -> Callable[[Handler], Handler]:
    pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", template))

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, template, pattern, handler))
        return handler

    return register


def answer(state: GitLabState, request: Request) -> tuple[str, Answer]:
    """The route that a request takes, and its answer."""
    for method, template, pattern, handler in ROUTES:
        match = pattern.fullmatch(request.path)
        if match and method == request.method:
            try:
                return template, handler(state, request, list(match.groups()))
            except Refusal as refusal:
                return template, refusal.answer
    return "", Answer(404, {"error": "404 Not Found"})


def _allow(request: Request, role: int = GUEST, *, write: bool = False, job: bool = False) -> Token:
    """The token, if it may; ``job`` says that this endpoint takes a CI_JOB_TOKEN."""
    token = request.token
    if token is None or (token.job and (not job or request.header != "job-token")):
        raise Refusal(401, {"message": "401 Unauthorized"})
    if token.expired:
        raise Refusal(401, {
            "error": "invalid_token",
            "error_description": "Token is expired. You can either do re-authorization or token "
            "refresh.",
        })  # fmt: skip
    scopes = {"api"} if write else {"api", "read_api"}
    if not token.job and not scopes & set(token.scopes):
        raise Refusal(403, {
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the "
            "access token.", "scope": "api" if write else "read_api",
        })  # fmt: skip
    if token.role < role:
        raise Refusal(403, {"message": "403 Forbidden"})
    return token


def _project(state: GitLabState, request: Request, name: str) -> Project:
    path = name.replace("%2F", "/").replace("%2f", "/")
    for project in state.projects.values():
        if str(project.id) == path or project.path == path:
            return project
        if path in project.moved_from:
            if request.method != "GET":
                message = "405 Non GET methods are not allowed for moved projects"
                raise Refusal(405, {"message": message})
            moved = request.path.replace(name, str(project.id), 1)
            query = f"?{urlencode(request.query)}" if request.query else ""
            location = f"{state.url}/api/v4{moved}{query}"
            raise Refusal(301, {"message": "Moved"}, {"Location": location})
    raise Refusal(404, {"message": "404 Project Not Found"})


def _merge_request(project: Project, iid: str) -> MergeRequest:
    found = project.merge_requests.get(int(iid)) if iid.isdigit() else None
    if found is None:
        raise Refusal(404, {"message": "404 Not found"})
    return found


def _page(state: GitLabState, request: Request, items: list[Any]) -> Answer:
    """One page, with the headers by which GitLab says what comes next."""
    size = min(int(request.query.get("per_page", "20")), 100)
    page = int(request.query.get("page", "1"))
    shown = items[(page - 1) * size : page * size]
    headers = {"X-Page": str(page), "X-Per-Page": str(size), "X-Total": str(len(items)),
               "X-Next-Page": str(page + 1) if page * size < len(items) else ""}  # fmt: skip
    if headers["X-Next-Page"]:
        query = urlencode({**request.query, "page": page + 1})
        headers["Link"] = f'<{state.url}/api/v4{request.path}?{query}>; rel="next"'
    return Answer(200, shown, headers)


def _text(request: Request, key: str) -> str:
    value = request.body.get(key) if isinstance(request.body, dict) else None
    if not isinstance(value, str) or not value:
        raise Refusal(400, {"error": f"{key} is missing"})
    return value


@_route("GET", "/version")
def _version(_state: GitLabState, request: Request, _: list[str]) -> Answer:
    _allow(request)
    return Answer(200, {"version": "18.6.0-ee", "revision": "0123456789a"})


@_route("GET", "/personal_access_tokens/self")
def _self(_state: GitLabState, request: Request, _: list[str]) -> Answer:
    token = request.token
    if token is None or token.job or token.expired:
        raise Refusal(401, {"message": "401 Unauthorized"})
    return Answer(200, {
        "id": 1, "name": token.user, "revoked": False, "active": True, "user_id": 1,
        "scopes": list(token.scopes), "created_at": now(), "expires_at": token.expires_at,
    })  # fmt: skip


@_route("GET", "/job")
def _job(_state: GitLabState, request: Request, _: list[str]) -> Answer:
    token = _allow(request, job=True)
    if not token.job:
        raise Refusal(401, {"message": "401 Unauthorized"})
    return Answer(200, {"id": 1, "status": "running", "stage": "deploy", "name": "start"})


@_route("GET", "/projects/{id}")
def _read_project(state: GitLabState, request: Request, found: list[str]) -> Answer:
    token = _allow(request)
    project = _project(state, request, found[0])
    access = {"access_level": token.role, "notification_level": 3}
    return Answer(200, {
        "id": project.id, "path_with_namespace": project.path,
        "web_url": f"{state.url}/{project.path}",
        "permissions": {"project_access": access, "group_access": None},
    })  # fmt: skip


@_route("GET", "/projects/{id}/merge_requests")
def _merge_requests(state: GitLabState, request: Request, found: list[str]) -> Answer:
    _allow(request, REPORTER, job=True)
    project = _project(state, request, found[0])
    wanted = request.query.get("state", "all")
    return _page(state, request, [
        merge_request.as_json(project, state.url)
        for _, merge_request in sorted(project.merge_requests.items(), reverse=True)
        if wanted in ("all", merge_request.state)
    ])  # fmt: skip


@_route("GET", "/projects/{id}/merge_requests/{merge_request_iid}")
def _one_merge_request(state: GitLabState, request: Request, found: list[str]) -> Answer:
    _allow(request, REPORTER, job=True)
    project = _project(state, request, found[0])
    return Answer(200, _merge_request(project, found[1]).as_json(project, state.url))


@_route("GET", "/projects/{id}/merge_requests/{merge_request_iid}/notes")
def _notes(state: GitLabState, request: Request, found: list[str]) -> Answer:
    _allow(request, REPORTER)
    merge_request = _merge_request(_project(state, request, found[0]), found[1])
    notes = sorted(merge_request.notes, key=lambda note: note.id)
    if request.query.get("sort", "desc") == "desc":
        notes.reverse()
    return _page(state, request, [note.as_json(merge_request.iid) for note in notes])


@_route("POST", "/projects/{id}/merge_requests/{merge_request_iid}/notes")
def _write_note(state: GitLabState, request: Request, found: list[str]) -> Answer:
    token = _allow(request, REPORTER, write=True)
    project = _project(state, request, found[0])
    merge_request = _merge_request(project, found[1])
    note = project.note(merge_request.iid, _text(request, "body"), token.user)
    return Answer(201, note.as_json(merge_request.iid))


@_route("PUT", "/projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}")
def _edit_note(state: GitLabState, request: Request, found: list[str]) -> Answer:
    token = _allow(request, REPORTER, write=True)
    merge_request = _merge_request(_project(state, request, found[0]), found[1])
    note = next((n for n in merge_request.notes if str(n.id) == found[2]), None)
    if note is None:
        raise Refusal(404, {"message": "404 Note Not Found"})
    if note.author != token.user and token.role < MAINTAINER:
        raise Refusal(403, {"message": "403 Forbidden"})
    note.body, note.updated_at = _text(request, "body"), now()
    return Answer(200, note.as_json(merge_request.iid))


@_route("GET", "/projects/{id}/environments")
def _environments(state: GitLabState, request: Request, found: list[str]) -> Answer:
    _allow(request, REPORTER, job=True)
    project = _project(state, request, found[0])
    name, wanted = request.query.get("name"), request.query.get("states")
    return _page(state, request, [
        environment.as_json()
        for environment in project.environments.values()
        if name in (None, environment.name) and wanted in (None, environment.state)
    ])  # fmt: skip


@_route("POST", "/projects/{id}/environments")
def _make_environment(state: GitLabState, request: Request, found: list[str]) -> Answer:
    _allow(request, DEVELOPER, write=True, job=True)
    project = _project(state, request, found[0])
    made = project.environment(_text(request, "name"), str(request.body.get("external_url", "")))
    return Answer(201, made.as_json())


@_route("POST", "/projects/{id}/environments/{environment_id}/stop")
def _stop(state: GitLabState, request: Request, found: list[str]) -> Answer:
    _allow(request, DEVELOPER, write=True, job=True)
    project = _project(state, request, found[0])
    environment = project.environments.get(int(found[1]))
    if environment is None:
        raise Refusal(404, {"message": "404 Environment Not Found"})
    if not (isinstance(request.body, dict) and request.body.get("force")):
        environment.stops += 1  # GitLab would start the job that on_stop names
    environment.state = "stopped"
    return Answer(200, environment.as_json())


@_route("GET", "/projects/{id}/repository/commits/{sha}/statuses")
def _statuses(state: GitLabState, request: Request, found: list[str]) -> Answer:
    _allow(request, REPORTER)
    project = _project(state, request, found[0])
    name = request.query.get("name")
    latest = {s.name: s for s in project.statuses if s.sha == found[1]}
    return _page(state, request, [
        status.as_json() for status in latest.values() if name in (None, status.name)
    ])  # fmt: skip


@_route("POST", "/projects/{id}/statuses/{sha}")
def _set_status(state: GitLabState, request: Request, found: list[str]) -> Answer:
    _allow(request, DEVELOPER, write=True)
    project = _project(state, request, found[0])
    wanted, name = _text(request, "state"), str(request.body.get("name") or "default")
    url, text = (str(request.body.get(key, "")) for key in ("target_url", "description"))
    for status in project.statuses:
        if (status.sha, status.name) == (found[1], name) and status.status == "running":
            if wanted == "running":
                reason = 'Status cannot transition via "run"'
                message = f"Cannot transition status via :run from :running (Reason(s): {reason})"
                raise Refusal(400, {"message": message})
            status.status, status.target_url, status.description = wanted, url, text
            return Answer(201, status.as_json())
    made = Status(project.next_id(), found[1], name, wanted, url, text)
    project.statuses.append(made)
    return Answer(201, made.as_json())
