"""How a run of gc ends that did not go all its way, in words and as an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.gcresult import GcResult, Outcome


def refusal(decided: int, seen: int, limit: int) -> str:
    """Why a run that would delete so many deletes nothing."""
    return (
        f"{decided} of {seen} environments would be deleted, and one run may delete {limit}: "
        "nothing was."
    )


def error_of(result: GcResult) -> EnvctlError | None:
    """The error to exit with: what was refused, what is stuck, what is not known."""
    if result.refused:
        return Refused(
            "gc refuses to delete that much at once.",
            why=result.refused,
            next="If they are all to go, run it again with --yes-really, or a greater "
            "--max-delete.",
        )
    stuck, unknown = result.of("stuck"), result.of("unknown")
    if stuck:
        return EnvctlError(
            f"{len(stuck)} of {result.seen} environments are stuck: {_names(stuck)}.",
            why=stuck[0].stuck[0].controller if stuck[0].stuck else stuck[0].entry.why,
            next=stuck[0].stuck[0].next if stuck[0].stuck else "Look at each with `envctl down`.",
        )
    if unknown:
        return Unavailable(
            f"It is not known whether these are gone: {_names(unknown)}.",
            why=unknown[0].entry.why,
            next="Run `envctl gc` again.",
        )
    return None


def _names(outcomes: Sequence[Outcome]) -> str:
    names = [f"{o.entry.project}/{o.entry.name}" for o in outcomes]
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
