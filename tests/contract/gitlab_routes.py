"""The endpoints that envctl uses, as GitLab answers them: who may, what is changed, what is said.

Written after GitLab's documented behaviour; routes, parameters and fields are held against its
published description by ``openapi``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.contract.gitlab_rules import (
    Answer,
    GitLabState,
    Refusal,
    Request,
    allow,
    merge_request_of,
    page,
    project_of,
    text_of,
)
from tests.contract.gitlab_state import DEVELOPER, MAINTAINER, REPORTER, Status, now

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


@_route("GET", "/version")
def _version(_state: GitLabState, request: Request, _: list[str]) -> Answer:
    allow(request)
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
    token = allow(request, job=True)
    if not token.job:
        raise Refusal(401, {"message": "401 Unauthorized"})
    return Answer(200, {"id": 1, "status": "running", "stage": "deploy", "name": "start"})


@_route("GET", "/projects/{id}")
def _read_project(state: GitLabState, request: Request, found: list[str]) -> Answer:
    token = allow(request)
    project = project_of(state, request, found[0])
    access = {"access_level": token.role, "notification_level": 3}
    return Answer(200, {
        "id": project.id, "path_with_namespace": project.path,
        "web_url": f"{state.url}/{project.path}",
        "permissions": {"project_access": access, "group_access": None},
    })  # fmt: skip


@_route("GET", "/projects/{id}/merge_requests")
def _merge_requests(state: GitLabState, request: Request, found: list[str]) -> Answer:
    allow(request, REPORTER, job=True)
    project = project_of(state, request, found[0])
    wanted = request.query.get("state", "all")
    return page(state, request, [
        merge_request.as_json(project, state.url)
        for _, merge_request in sorted(project.merge_requests.items(), reverse=True)
        if wanted in ("all", merge_request.state)
    ])  # fmt: skip


@_route("GET", "/projects/{id}/merge_requests/{merge_request_iid}")
def _one_merge_request(state: GitLabState, request: Request, found: list[str]) -> Answer:
    allow(request, REPORTER, job=True)
    project = project_of(state, request, found[0])
    return Answer(200, merge_request_of(project, found[1]).as_json(project, state.url))


@_route("GET", "/projects/{id}/merge_requests/{merge_request_iid}/notes")
def _notes(state: GitLabState, request: Request, found: list[str]) -> Answer:
    allow(request, REPORTER)
    merge_request = merge_request_of(project_of(state, request, found[0]), found[1])
    notes = sorted(merge_request.notes, key=lambda note: note.id)
    if request.query.get("sort", "desc") == "desc":
        notes.reverse()
    return page(state, request, [note.as_json(merge_request.iid) for note in notes])


@_route("POST", "/projects/{id}/merge_requests/{merge_request_iid}/notes")
def _write_note(state: GitLabState, request: Request, found: list[str]) -> Answer:
    token = allow(request, REPORTER, write=True)
    project = project_of(state, request, found[0])
    merge_request = merge_request_of(project, found[1])
    note = project.note(merge_request.iid, text_of(request, "body"), token.user)
    return Answer(201, note.as_json(merge_request.iid))


@_route("PUT", "/projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}")
def _edit_note(state: GitLabState, request: Request, found: list[str]) -> Answer:
    token = allow(request, REPORTER, write=True)
    merge_request = merge_request_of(project_of(state, request, found[0]), found[1])
    note = next((n for n in merge_request.notes if str(n.id) == found[2]), None)
    if note is None:
        raise Refusal(404, {"message": "404 Note Not Found"})
    if note.author != token.user and token.role < MAINTAINER:
        raise Refusal(403, {"message": "403 Forbidden"})
    note.body, note.updated_at = text_of(request, "body"), now()
    return Answer(200, note.as_json(merge_request.iid))


@_route("GET", "/projects/{id}/environments")
def _environments(state: GitLabState, request: Request, found: list[str]) -> Answer:
    allow(request, REPORTER, job=True)
    project = project_of(state, request, found[0])
    name, wanted = request.query.get("name"), request.query.get("states")
    return page(state, request, [
        environment.as_json()
        for environment in project.environments.values()
        if name in (None, environment.name) and wanted in (None, environment.state)
    ])  # fmt: skip


@_route("POST", "/projects/{id}/environments")
def _make_environment(state: GitLabState, request: Request, found: list[str]) -> Answer:
    allow(request, DEVELOPER, write=True, job=True)
    project = project_of(state, request, found[0])
    made = project.environment(text_of(request, "name"), str(request.body.get("external_url", "")))
    return Answer(201, made.as_json())


@_route("POST", "/projects/{id}/environments/{environment_id}/stop")
def _stop(state: GitLabState, request: Request, found: list[str]) -> Answer:
    allow(request, DEVELOPER, write=True, job=True)
    project = project_of(state, request, found[0])
    environment = project.environments.get(int(found[1]))
    if environment is None:
        raise Refusal(404, {"message": "404 Environment Not Found"})
    if not (isinstance(request.body, dict) and request.body.get("force")):
        environment.stops += 1  # GitLab would start the job that on_stop names
    environment.state = "stopped"
    return Answer(200, environment.as_json())


@_route("GET", "/projects/{id}/repository/commits/{sha}/statuses")
def _statuses(state: GitLabState, request: Request, found: list[str]) -> Answer:
    allow(request, REPORTER)
    project = project_of(state, request, found[0])
    name = request.query.get("name")
    latest = {s.name: s for s in project.statuses if s.sha == found[1]}
    return page(state, request, [
        status.as_json() for status in latest.values() if name in (None, status.name)
    ])  # fmt: skip


@_route("POST", "/projects/{id}/statuses/{sha}")
def _set_status(state: GitLabState, request: Request, found: list[str]) -> Answer:
    allow(request, DEVELOPER, write=True)
    project = project_of(state, request, found[0])
    wanted, name = text_of(request, "state"), str(request.body.get("name") or "default")
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
