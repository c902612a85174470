"""What holds for every call to a forge, whichever it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envctl.ports.forge import ForgeNotFound

if TYPE_CHECKING:
    from envctl.adapters.forge.answers import Asked
    from envctl.model.forge import ForgeProject

#: Seconds that one call of the port may take with all its pages and retries.
CALL_TIMEOUT = 60.0
_PROJECT = re.compile(r"\d+|[\w.+-]+(/[\w.+-]+)+")


def check_project(project: ForgeProject, asked: Asked) -> None:
    """Raise ForgeNotFound unless the project is one of this forge, and named as projects are.

    It may come from an annotation: the token is for one server, and a path is no project.
    """
    if project.server != asked.settings.server:
        raise ForgeNotFound(
            asked.what,
            why=f"The project belongs to {project.server[:200]}, "
            f"and the token to {asked.settings.server}.",
            next="Run it where that forge's token is, or set ENVCTL_FORGE_URL, _KIND and _TOKEN.",
        )
    named = _PROJECT.fullmatch(project.project)
    if not named or {".", ".."} & set(project.project.split("/")):
        raise ForgeNotFound(
            asked.what,
            why=f"{project.project[:80]!r} is no project.",
            next="Correct the annotation envctl.dev/forge-project.",
        )
