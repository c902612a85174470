"""The lock files of the Python packages, read: what is pinned, by which hashes, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = ROOT / "requirements" / "run.txt"
LOCKS = tuple(sorted((ROOT / "requirements").glob("*.txt")))
_PIN = re.compile(
    r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\\n]+?))? \\\n"
    r"(?P<hashes>(?:    --hash=.*\n?)+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One package in one version; ``marker`` says for which Pythons and platforms."""

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str = ""


def pins(path: Path) -> list[Pin]:
    """The pins of a lock file, in its order."""
    return [
        Pin(
            found["name"],
            found["version"],
            tuple(sorted(re.findall(r"sha256:([0-9a-f]{64})", found["hashes"]))),
            (found["marker"] or "").strip(),
        )
        for found in _PIN.finditer(path.read_text())
    ]
