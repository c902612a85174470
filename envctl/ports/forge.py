"""What the workflows need of a forge, and how it fails (law 5: no failure means closed)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from envctl.errors import EnvctlError, Forbidden, Unavailable

if TYPE_CHECKING:
    from envctl.model.forge import ForgeAccess, ForgeProject, MergeRequest, StatusState


class ForgeUnavailable(Unavailable):
    """No sensible answer: unreachable, too slow, 429, 5xx, an HTML page, half a document."""


class ForgeForbidden(Forbidden):
    """401 or 403: the token is missing, has expired, or lacks a scope; the message names it."""


class ForgeNotFound(EnvctlError):
    """404: the project, or something in it, is not there or not to be seen by this token."""


class Forge(Protocol):
    """One forge through one token.

    Every call may raise ForgeUnavailable (after the retries of the policy ``forge``),
    ForgeForbidden or ForgeNotFound; none raises a library's error, and none repeats a POST whose
    answer was lost without looking first whether it was done.
    """

    #: ``GitLab`` or ``Gitea``, for sentences.
    kind: str
    #: As ``ForgeProject.server``.
    server: str

    async def merge_request(self, project: ForgeProject, iid: str) -> MergeRequest:
        """How a merge request stands. Only a complete answer about exactly this one is one."""
        ...

    async def put_note(self, project: ForgeProject, iid: str, marker: str, body: str) -> None:
        """Make ``body`` the one note that carries the hidden ``marker``: edited, else written.

        The marker is an HTML comment at the start of ``body``; the author of a note is not asked.
        """
        ...

    async def find_note(self, project: ForgeProject, iid: str, marker: str) -> str | None:
        """The text of the note that carries the marker, or None."""
        ...

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
        """Set the commit status ``name``."""
        ...

    async def stop_environment(self, project: ForgeProject, name: str) -> bool:
        """Tell the forge that its environment is gone; False where it knows none of that name."""
        ...

    async def probe(self, project: ForgeProject) -> ForgeAccess:
        """What the token can do in the project; nothing is changed by asking."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
