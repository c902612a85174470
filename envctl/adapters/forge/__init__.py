"""The forges: GitLab by python-gitlab, Gitea, Forgejo and GitHub by the API that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envctl.config.forge import ForgeSettings
    from envctl.ports.forge import Forge


def open_forge(settings: ForgeSettings) -> Forge:
    """The adapter for the settings; nothing is sent before the first call."""
    if settings.kind == "gitlab":
        from envctl.adapters.forge.gitlab import GitLabForge

        return GitLabForge(settings)
    from envctl.adapters.forge.gitea import GiteaForge

    return GiteaForge(settings)
