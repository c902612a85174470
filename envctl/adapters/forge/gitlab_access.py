"""What a token for GitLab needs, and what this one has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envctl.model.forge import Ability, ForgeAccess
from envctl.ports.forge import ForgeForbidden, ForgeNotFound

if TYPE_CHECKING:
    from gitlab.v4.objects import Project

    from envctl.config.forge import ForgeSettings

READ = "The token needs the scope `read_api` or `api`, and the role Reporter in the project."
NOTE = "The token needs the scope `api` and the role Reporter in the project."
WRITE = "The token needs the scope `api` and the role Developer in the project."
_NEEDS = {
    Ability.READ: READ,
    Ability.NOTES: NOTE,
    Ability.STATUSES: WRITE,
    Ability.ENVIRONMENTS: WRITE,
}
_REPORTER, _DEVELOPER = 20, 30


def access(project: Project, settings: ForgeSettings) -> ForgeAccess:
    """Ask for one merge request, and what the token says of itself; nothing is written."""
    can, expires = set(), ""
    try:
        project.mergerequests.list(per_page=1, get_all=False)
        can.add(Ability.READ)
    except (ForgeForbidden, ForgeNotFound):
        if settings.job_token:
            raise
    if settings.job_token:
        can.add(Ability.ENVIRONMENTS)  # GitLab lets every job token
    elif settings.token:
        itself = project.manager.gitlab.personal_access_tokens.get("self").attributes
        expires = str(itself.get("expires_at") or "")
        can |= _writes(itself.get("scopes"), _role(project))
    held = "CI_JOB_TOKEN cannot" if settings.job_token else "There is no token"
    without = settings.job_token or not settings.token
    prefix = f"{held}: set ENVCTL_FORGE_TOKEN. " if without else ""
    cannot = {a: prefix + needs for a, needs in _NEEDS.items() if a not in can}
    return ForgeAccess(frozenset(can), cannot, expires)


def _writes(scopes: Any, role: int) -> set[Ability]:
    if not isinstance(scopes, list) or "api" not in scopes:
        return set()
    levels = {Ability.NOTES: _REPORTER, Ability.STATUSES: _DEVELOPER,
              Ability.ENVIRONMENTS: _DEVELOPER}  # fmt: skip
    return {ability for ability, level in levels.items() if role >= level}


def _role(project: Project) -> int:
    """The token's role in the project, its own or by its group; 0 where it has none."""
    try:
        read = project.manager.gitlab.projects.get(str(project.get_id()))
    except (ForgeForbidden, ForgeNotFound):
        return 0
    found = read.attributes.get("permissions")
    memberships = found.values() if isinstance(found, dict) else ()
    levels = (m.get("access_level") for m in memberships if isinstance(m, dict))
    return max((level for level in levels if isinstance(level, int)), default=0)
