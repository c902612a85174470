"""What all endpoints of the contract server share: who may, what is found, how lists are cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.contract.gitlab_state import GUEST, MergeRequest, Project, Token


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


def allow(request: Request, role: int = GUEST, *, write: bool = False, job: bool = False) -> Token:
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


def project_of(state: GitLabState, request: Request, name: str) -> Project:
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


def merge_request_of(project: Project, iid: str) -> MergeRequest:
    found = project.merge_requests.get(int(iid)) if iid.isdigit() else None
    if found is None:
        raise Refusal(404, {"message": "404 Not found"})
    return found


def page(state: GitLabState, request: Request, items: list[Any]) -> Answer:
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


def text_of(request: Request, key: str) -> str:
    value = request.body.get(key) if isinstance(request.body, dict) else None
    if not isinstance(value, str) or not value:
        raise Refusal(400, {"error": f"{key} is missing"})
    return value
