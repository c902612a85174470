"""The checkout, as the tests of the repository itself read it."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git knows, or that would be added: what a clone gets."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def text(name: str) -> str:
    """The text of a file, named from the root of the checkout."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(markdown: str, heading: str) -> str:
    """What stands below a heading, up to the next one of the same level."""
    level = heading.split(" ", maxsplit=1)[0]
    found = re.search(
        rf"^{re.escape(heading)}$(.*?)(?=^{level} |\Z)", markdown, re.DOTALL | re.MULTILINE
    )
    assert found, f"no heading {heading!r}"
    return found.group(1)


def fenced(markdown: str, info: str | None = None) -> list[str]:
    """The contents of the fenced blocks: all of them, or those whose info string is ``info``."""
    blocks = re.findall(r"^```([^\n]*)\n(.*?)^```$", markdown, re.DOTALL | re.MULTILINE)
    return [body for found, body in blocks if info is None or found == info]
