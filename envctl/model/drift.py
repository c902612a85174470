"""What is no longer as it was deployed: objects that somebody deleted, replaced or edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import managed
from envctl.model.objects import Key, Obj, uid_of
from envctl.model.plan import Drift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.model.record import Deployed, Entry


def find(before: Deployed, live: Mapping[Key, Obj]) -> tuple[Drift, ...]:
    """The drift of a component since its deployment; an unfinished one has none yet."""
    if not before.complete:
        return ()
    found = [_of_entry(before, entry, live.get(entry.key)) for entry in before.entries]
    return tuple(drift for drift in found if drift)


def may_be_gone(before: Deployed, entry: Entry) -> bool:
    """A Job that has run may be cleaned up (ttlSecondsAfterFinished); it has run."""
    return before.type == "job" or entry.resource.kind == "Job"


def _of_entry(before: Deployed, entry: Entry, obj: Obj | None) -> Drift | None:
    if obj is None or uid_of(obj) != entry.uid:
        if may_be_gone(before, entry):
            return None
        return Drift(entry.key, "deleted" if obj is None else "replaced")
    return _edited(entry, obj) if managed.changed(obj, entry.owned) else None


def _edited(entry: Entry, obj: Obj) -> Drift:
    hands = managed.edits(obj)
    if not hands:
        return Drift(entry.key, "edited")
    return Drift(entry.key, "edited", hands[0].manager, hands[0].fields)
