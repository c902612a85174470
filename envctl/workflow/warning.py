"""Warns on the merge request before its environment's life ends: one note, edited in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.forge import ForgeProject
from envctl.model.gc import Facts, whom_to_ask
from envctl.model.lifetime import WARNED, stamp
from envctl.model.objects import NAMESPACE

if TYPE_CHECKING:
    from datetime import datetime

    from envctl.ports.cluster import Cluster
    from envctl.ports.forge import Forge


@dataclass(frozen=True, slots=True)
class Warner:
    """Writes the warning of an environment's end, once for each end."""

    cluster: Cluster
    forge: Forge | None

    async def __call__(self, facts: Facts, ends: datetime) -> None:
        """Put the note, then remember it; killed in between, the same note is written again.

        What belongs to no merge request of this forge has nobody to be told: raises EnvctlError.
        """
        project = whom_to_ask(facts, self.forge.server if self.forge else "")
        if not isinstance(project, ForgeProject) or self.forge is None:
            raise EnvctlError("There is no merge request to write to.")
        marker = marker_of(facts)
        await self.forge.put_note(project, facts.info.merge_request, marker, body(facts, ends))
        patch = {"metadata": {"uid": facts.uid, "annotations": {WARNED: stamp(ends)}}}
        await self.cluster.patch(NAMESPACE, facts.info.namespace, "", patch)


def marker_of(facts: Facts) -> str:
    """What the note is found by again."""
    return f"<!-- envctl:warning {facts.info.project}/{facts.info.name} -->"


def body(facts: Facts, ends: datetime) -> str:
    """The note; every value in it is a DNS label, a number or a time."""
    info = facts.info
    named = f"--project {info.project} --name {info.name}"
    longest = (
        f" It cannot live past {stamp(facts.life.limit)} unless somebody keeps it."
        if facts.life.limit
        else ""
    )
    return (
        f"{marker_of(facts)}\n"
        f"**The environment `{info.name}` will be deleted after {stamp(ends)}.**{longest}\n\n"
        "A push lets it live on. So does, from a pipeline or a laptop:\n\n"
        f"- `envctl extend {named}`: some time longer\n"
        f"- `envctl keep {named}`: until `envctl keep --off`\n"
    )
