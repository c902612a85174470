"""What ``doctor`` asks of the machine it runs on: tools, and how long the credential is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class Tool:
    """A program as it was found; ``path`` is empty where it was not.

    ``problem`` says in a sentence why it cannot be used as it is.
    """

    name: str
    path: str = ""
    version: str = ""
    problem: str = ""


class Machine(Protocol):
    """The machine that envctl runs on."""

    async def helm(self) -> Tool:
        """Helm, and whether it is new enough."""
        ...

    async def kustomize(self) -> Tool:
        """Kustomize, or the one inside kubectl."""
        ...

    def credential_end(self) -> dt.datetime | None:
        """Until when the credential is good; None where it does not say (an exec plugin's)."""
        ...
