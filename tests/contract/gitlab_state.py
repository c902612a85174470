"""What the contract server's GitLab holds; tests write to it and look at it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

GUEST, REPORTER, DEVELOPER, MAINTAINER = 10, 20, 30, 40


def now() -> str:
    """GitLab's way to write the time."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass
class Token:
    """A token of a user; ``role`` is that in every project, ``job`` makes it a CI_JOB_TOKEN."""

    user: str = "envctl-bot"
    scopes: tuple[str, ...] = ("api",)
    role: int = DEVELOPER
    job: bool = False
    expired: bool = False
    expires_at: str | None = "2031-01-01"


@dataclass
class Note:
    id: int
    body: str
    author: str
    system: bool = False
    created_at: str = field(default_factory=now)
    updated_at: str = ""

    def as_json(self, iid: int) -> dict[str, Any]:
        """A note as GitLab's notes API gives it."""
        return {
            "id": self.id, "type": None, "body": self.body, "system": self.system,
            "author": {"id": 1, "username": self.author, "name": self.author, "state": "active"},
            "created_at": self.created_at, "updated_at": self.updated_at or self.created_at,
            "noteable_type": "MergeRequest", "noteable_iid": iid, "resolvable": False,
            "confidential": False, "internal": False,
        }  # fmt: skip


@dataclass
class MergeRequest:
    """``state`` is opened, closed, merged or locked."""

    iid: int
    source_branch: str = "feature"
    target_branch: str = "main"
    state: str = "opened"
    sha: str = "a" * 40
    source_project: int = 0
    title: str = "A change"
    author: str = "alice"
    notes: list[Note] = field(default_factory=list)

    def as_json(self, project: Project, url: str) -> dict[str, Any]:
        """A merge request in the fields that GitLab gives for it."""
        ended = now() if self.state in ("closed", "merged") else None
        return {
            "id": 1000 * project.id + self.iid, "iid": self.iid, "project_id": project.id,
            "title": self.title, "state": self.state, "source_branch": self.source_branch,
            "target_branch": self.target_branch, "sha": self.sha, "draft": False,
            "source_project_id": self.source_project or project.id,
            "target_project_id": project.id, "labels": [],
            "author": {"id": 1, "username": self.author, "name": self.author, "state": "active"},
            "merged_at": ended if self.state == "merged" else None,
            "closed_at": ended if self.state == "closed" else None,
            "web_url": f"{url}/{project.path}/-/merge_requests/{self.iid}",
        }  # fmt: skip


@dataclass
class Environment:
    """``state`` is available, stopping or stopped; ``stops`` counts the jobs of on_stop started."""

    id: int
    name: str
    external_url: str = ""
    state: str = "available"
    stops: int = 0

    def as_json(self) -> dict[str, Any]:
        """An environment in the fields that GitLab gives for it."""
        return {
            "id": self.id, "name": self.name, "slug": self.name.replace("/", "-")[:24],
            "external_url": self.external_url or None, "state": self.state, "tier": "development",
            "created_at": now(), "updated_at": now(),
        }  # fmt: skip


@dataclass
class Status:
    id: int
    sha: str
    name: str
    status: str
    target_url: str = ""
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """A commit status in the fields that GitLab gives for it."""
        return {
            "id": self.id, "sha": self.sha, "ref": "main", "status": self.status,
            "name": self.name, "target_url": self.target_url or None,
            "description": self.description or None, "created_at": now(),
            "allow_failure": False,
        }  # fmt: skip


@dataclass
class Project:
    """A project; ``moved_from`` are the paths that it had before it was renamed."""

    id: int
    path: str
    public: bool = False
    moved_from: list[str] = field(default_factory=list)
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
    environments: dict[int, Environment] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    _last: int = 0

    def next_id(self) -> int:
        """A number that nothing in the project has."""
        self._last += 1
        return 100 * self.id + self._last

    def open(self, iid: int, source_branch: str = "feature", **more: Any) -> MergeRequest:
        """Open a merge request."""
        self.merge_requests[iid] = MergeRequest(iid, source_branch, **more)
        return self.merge_requests[iid]

    def note(self, iid: int, body: str, author: str = "alice", *, system: bool = False) -> Note:
        """Have somebody write a note."""
        found = Note(self.next_id(), body, author, system)
        self.merge_requests[iid].notes.append(found)
        return found

    def environment(self, name: str, external_url: str = "") -> Environment:
        """Have a pipeline make an environment."""
        found = Environment(self.next_id(), name, external_url)
        self.environments[found.id] = found
        return found

    def rename(self, path: str) -> None:
        """Move the project to another path."""
        self.moved_from.append(self.path)
        self.path = path
