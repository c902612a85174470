"""What a token for Gitea, Forgejo or GitHub needs, and what this one has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.adapters.forge import answers
from envctl.model.forge import Ability, ForgeAccess
from envctl.ports.forge import ForgeForbidden, ForgeNotFound

if TYPE_CHECKING:
    from envctl.adapters.forge.answers import Asked
    from envctl.adapters.forge.channel import Channel

READ = (
    "The token needs the scope `read:repository` (GitHub: `pull-requests: read`) and access to "
    "the repository."
)
NOTE = (
    "The token needs the scope `write:issue` (GitHub: `pull-requests: write`) and access to the "
    "repository."
)
WRITE = (
    "The token needs the scope `write:repository` (GitHub: `statuses: write`) and write access to "
    "the repository."
)
_NO_DOCUMENT = b"{"
_NO_COMMIT = "0" * 40


async def access(channel: Channel, repository: str, asked: Asked) -> ForgeAccess:
    """Read a page of pull requests, and send writes whose body is not a document.

    Gitea looks at the token before it looks at the body: what it says of the body tells that the
    token would do. GitHub's order is not documented, so there writing stays unknown.
    """
    can, cannot = set(), {}
    try:
        response = await channel.send(
            asked, "GET", f"{repository}/pulls", params={"state": "all", "limit": 1, "per_page": 1}
        )
        answers.complete(response, asked, list)
        can.add(Ability.READ)
    except (ForgeForbidden, ForgeNotFound) as error:
        if isinstance(error, answers.Unauthenticated) and asked.settings.token:
            raise
        cannot[Ability.READ] = READ
    writes = {
        Ability.NOTES: (f"{repository}/issues/0/comments", NOTE),
        Ability.STATUSES: (f"{repository}/statuses/{_NO_COMMIT}", WRITE),
    }
    for ability, (url, needs) in writes.items():
        if not asked.settings.token:
            cannot[ability] = f"There is no token: set ENVCTL_FORGE_TOKEN. {needs}"
        elif asked.settings.kind != "github":
            if await _would_do(channel, url, asked):
                can.add(ability)
            else:
                cannot[ability] = needs
    return ForgeAccess(frozenset(can), cannot)


async def _would_do(channel: Channel, url: str, asked: Asked) -> bool:
    try:
        await channel.send(asked, "POST", url, content=_NO_DOCUMENT)
    except ForgeForbidden:
        return False
    except (answers.Rejected, ForgeNotFound):
        return True
    return False  # what takes this for a document is no Gitea
