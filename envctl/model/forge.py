"""What envctl knows of a forge: which project a run belongs to, and how its merge requests stand.

A merge request is GitLab's word; Gitea, Forgejo and GitHub call the same thing a pull request.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class MergeRequestState(enum.StrEnum):
    """The states that matter to an environment: it is needed, or it is not any more."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"

    @property
    def ended(self) -> bool:
        """Whether nobody will push to it again without opening it anew."""
        return self is not MergeRequestState.OPEN


class StatusState(enum.StrEnum):
    """A commit status, in the words that both forges' adapters translate from."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ForgeProject:
    """A project on a forge; what the annotation ``envctl.dev/forge-project`` keeps.

    ``server`` is the URL that people open, without a slash at its end, a path prefix included.
    ``project`` is what the API knows it by: GitLab's numeric ID, which survives a rename, or
    ``owner/repository``.
    """

    server: str
    project: str

    def __str__(self) -> str:
        return f"{self.server}#{self.project}"

    @classmethod
    def parse(cls, text: str) -> ForgeProject | None:
        """The project that an annotation names; None for what is none."""
        server, separator, project = text.rpartition("#")
        if not (separator and project and server.startswith(("https://", "http://"))):
            return None
        return cls(server, project)


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """A merge request as the forge said that it is, just now."""

    iid: str
    state: MergeRequestState
    source_branch: str = ""
    target_branch: str = ""
    url: str = ""
    sha: str = ""


class Ability(enum.StrEnum):
    """What a token may be good for, in the words of ``doctor``."""

    READ = "read merge requests"
    NOTES = "write notes"
    STATUSES = "set commit statuses"
    ENVIRONMENTS = "stop environments"


@dataclass(frozen=True, slots=True)
class ForgeAccess:
    """What a token can do in a project, found out without changing anything.

    ``cannot`` maps what it cannot do to the sentence that says what is needed. What is in neither
    cannot be found out, or the forge has no such thing. ``expires`` is the day that the token ends,
    or empty where it does not say.
    """

    can: frozenset[Ability]
    cannot: Mapping[Ability, str]
    expires: str = ""
