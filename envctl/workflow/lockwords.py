"""What a run is told that may not write, or write no more: what, why and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import Locked, Superseded, Unavailable
from envctl.model.environment import SYSTEM_NAMESPACE

if TYPE_CHECKING:
    from envctl.model.environment import Environment

CHANGED = "It was changed at every attempt."


def superseded(environment: Environment, newest: int) -> Superseded:
    """A newer pipeline holds the lock, has held it, or asks for it."""
    return Superseded(
        f"Pipeline {newest} has taken over {environment.name}.",
        why=f"It is newer than this one ({environment.pipeline or 'no pipeline'}), "
        "and one run at a time writes.",
        next="Nothing is to be done; look at the newer pipeline.",
    )


def held(environment: Environment, holder: str, patience: float) -> Locked:
    """Another run, that lives, kept the lock for longer than this one waits."""
    return Locked(
        f"Another run works on {environment.name}.",
        why=f"The run {holder} has held its lock for more than {patience:.0f} s.",
        next="Wait for it to end, then run the command again.",
    )


def not_made(environment: Environment, patience: float) -> Unavailable:
    """The namespace that locks live in was going for all the time that this run waits."""
    return Unavailable(
        f"The lock of {environment.name} could not be made.",
        why=f"For {patience:.0f} s the namespace {SYSTEM_NAMESPACE} was being deleted.",
        next="Run the command again when it is gone.",
    )


def not_renewed(environment: Environment, why: str) -> Locked:
    """Nobody else need have it, but this run can no longer be sure of that."""
    return Locked(
        f"The lock of {environment.name} could not be renewed.",
        why=why,
        next="Run the command again.",
    )


def taken_over(environment: Environment) -> Locked:
    """It is somebody else's, who is no newer pipeline."""
    return Locked(
        f"The lock of {environment.name} was taken over.",
        why="This run did not renew it in time, or somebody deleted it.",
        next="Run the command again.",
    )
