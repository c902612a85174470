"""The outcomes behind the page, packed beside it: a campaign goes on from them on any machine.

All points together take longer than a machine may be had for. The archive's first line is the
count of points, with where they were counted; then comes one outcome a line, each with the commit
that was struck.
"""

from __future__ import annotations

import lzma
import subprocess
from pathlib import Path

ARCHIVE = Path(__file__).parents[2] / "docs" / "data" / "reliability.jsonl.xz"


def commit() -> str:
    """The commit of this checkout, with ``+`` behind it where files differ from it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def counts_of(results: Path) -> Path:
    """Where the number of points stands that the file of outcomes is a part of."""
    return results.with_suffix(".counts.json")


def pack(results: Path, archive: Path) -> None:
    """Keep the outcomes of a campaign, its newest word on each point last."""
    text = counts_of(results).read_text().strip() + "\n" + results.read_text()
    archive.parent.mkdir(exist_ok=True)
    with lzma.open(archive, "wt", preset=9) as file:
        file.write(text)


def unpack(results: Path, archive: Path = ARCHIVE) -> None:
    """Begin a file of outcomes with those that are kept, if any are."""
    if archive.exists():
        with lzma.open(archive, "rt") as file:
            counts_of(results).write_text(file.readline())
            results.write_text(file.read())
