"""Refuses what has no place in a confined environment, before anything of it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import Refused
from envctl.model import confined
from envctl.model.objects import annotations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envctl.model.objects import Obj
    from envctl.workflow.run import Run

_NEXT = (
    "Leave it out, or have a maintainer who has read the change deploy it from a branch of the "
    "project."
)


def refuse_objects(run: Run, found: Sequence[Obj], own_secrets: Iterable[str]) -> None:
    """Raise Refused for the first object that may not be; ``own_secrets`` are those it may read."""
    if not run.spec.guardrails.confined:
        return
    own = {*own_secrets, *_deployed_secrets(run)}
    for obj in found:
        label = f"{obj['kind']}/{obj['metadata']['name']}"
        why = confined.problem(obj, run.spec.host)
        if not why and (foreign := sorted(confined.secrets_read(obj) - own)):
            why = f"reads the Secret {foreign[0]}, which no component of the environment makes"
        if why:
            raise _refused(label, why)


def refuse_hooks(run: Run, component: str, hooks: Sequence[Obj]) -> None:
    """Raise Refused where a chart has hooks, which nobody but Helm runs; its tests are left out."""
    if not run.spec.guardrails.confined:
        return
    for hook in hooks:
        when = annotations_of(hook).get("helm.sh/hook", "")
        if not when.startswith("test"):
            label = f"{hook['kind']}/{hook['metadata']['name']}"
            raise _refused(label, f"is a hook ({when}) of the chart of {component}")


def _deployed_secrets(run: Run) -> set[str]:
    return {
        entry.key.name
        for deployed in run.store.record.components.values()
        for entry in deployed.entries
        if entry.key.kind == "Secret"
    }


def _refused(label: str, why: str) -> Refused:
    return Refused(
        f"{label} is not allowed in a confined environment.", why=f"It {why}.", next=_NEXT
    )
