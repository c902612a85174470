"""What `init` needs of the folder it is run in: one look, and files that are not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from envctl.model.repository import Repository


class Folder(Protocol):
    """The repository's root."""

    def look(self) -> Repository:
        """Its files and what their YAML says; raises ConfigError where it cannot be read."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is anything at a path."""
        ...

    def create(self, path: str, text: str) -> bool:
        """Write a file that is not there; False, and nothing changed, where it is."""
        ...
