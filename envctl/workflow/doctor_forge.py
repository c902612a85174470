"""``doctor`` at the forge: whether it answers, and what the token can do there.

An environment comes up without a forge; so what is missing here is a warning, never a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.finding import Finding, ok, warn
from envctl.ports import attempt
from envctl.workflow.doctor import PATIENCE

if TYPE_CHECKING:
    from envctl.model.forge import ForgeAccess, ForgeProject
    from envctl.ports.forge import Forge

_ADVICE = "Run it in the CI, or set ENVCTL_FORGE_URL, ENVCTL_FORGE_KIND and ENVCTL_FORGE_TOKEN."


async def of_forge(forge: Forge | None, project: ForgeProject | None) -> list[Finding]:
    """What is to be said of the forge and of the token for it."""
    if forge is None:
        return [ok("forge", f"none is known, so no merge request is read or written to. {_ADVICE}")]
    where = f"{forge.kind} at {forge.server}"
    if project is None:
        return [warn("forge", f"{where}; which project it is, is not known",
                     "Pass the CI's own variables on to the job.")]  # fmt: skip
    try:
        with attempt.within(PATIENCE):
            access = await forge.probe(project)
    except EnvctlError as error:
        return [warn("forge", f"{error.what} {error.why}".strip(), error.next)]
    return [ok("forge", f"{where} answers about project {project.project}"), _token(access)]


def _token(access: ForgeAccess) -> Finding:
    able = sorted(str(ability) for ability in access.can)
    until = f"; it ends on {access.expires}" if access.expires else ""
    detail = f"the token can {', '.join(able) or 'do nothing'}{until}"
    if not access.cannot:
        return ok("token", detail)
    unable = ", ".join(sorted(str(ability) for ability in access.cannot))
    needs = dict.fromkeys(access.cannot.values())  # each sentence once, in their order
    return warn("token", f"{detail}; it cannot {unable}", " ".join(needs))
