"""Where the evidence of a failure is put: a folder that becomes the artifact of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.objects import Obj


class Folder(Protocol):
    """Takes files; each call writes one whole. A path's parts become safe names.

    Every call may raise OSError.
    """

    def text(self, path: str, content: str) -> None:
        """Write a text."""
        ...

    def lines(self, path: str, lines: Iterable[str]) -> None:
        """Write lines, each with its newline."""
        ...

    def object(self, path: str, obj: Obj) -> None:
        """Write an object as YAML."""
        ...
