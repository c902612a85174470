"""What an image is made of, and the key that changes when any of it does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: Raise it when the code in this folder makes another image of the same recipe.
FORMAT = "1"
KEY_LENGTH = 12


class BuildError(Exception):
    """An image could not be built; the message says what, why and what to do."""


@dataclass(frozen=True)
class GoProgram:
    """One static program: ``package`` of the Go module in ``module``.

    ``shared`` names the module's other folders that the program imports.
    """

    name: str
    module: Path
    package: str
    shared: tuple[str, ...] = ()

    def inputs(self) -> Iterator[Path]:
        """Every file that has a part in the program, in a fixed order."""
        yield self.module / "go.mod"
        if (self.module / "go.sum").exists():
            yield self.module / "go.sum"
        for folder in (self.package, *self.shared):
            yield from sorted(path for path in (self.module / folder).rglob("*") if path.is_file())


@dataclass(frozen=True)
class DebianServer:
    """A server out of Debian packages: its files, and the shared libraries they turn out to need.

    ``files`` are patterns below the root of the unpacked packages; ``own`` maps a path in the
    image to a file of the repository; ``links`` maps a path in the image to what it points to.
    """

    name: str
    packages: tuple[str, ...]
    files: tuple[str, ...]
    entrypoint: tuple[str, ...]
    own: Mapping[str, Path] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def inputs(self) -> Iterator[Path]:
        """The repository's files in the image, in a fixed order."""
        yield from (self.own[target] for target in sorted(self.own))


Recipe = GoProgram | DebianServer


def key(recipe: Recipe) -> str:
    """A short digest of the recipe and of every file it takes from the repository."""
    digest = hashlib.sha256(f"{FORMAT} {_words(recipe)}".encode())
    for path in recipe.inputs():
        content = path.read_bytes()
        digest.update(f"\n{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:KEY_LENGTH]


def _words(recipe: Recipe) -> str:
    """The recipe's own words, without paths, so that a moved checkout keeps its images."""
    if isinstance(recipe, GoProgram):
        return f"go {recipe.name} {recipe.package} {recipe.shared}"
    parts = (recipe.packages, recipe.files, recipe.entrypoint)
    return f"debian {recipe.name} {parts} {sorted(recipe.own)} {sorted(recipe.links.items())}"
