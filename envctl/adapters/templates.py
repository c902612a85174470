"""The workflows for Actions as they are shipped: in the package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_NAMES = ("environment", "gc")


def workflows() -> dict[str, str]:
    """The text of each workflow of ci-templates/gitea by its name."""
    package = Path(__file__).parents[1]
    installed = package / "_templates" / "gitea"
    folder = installed if installed.is_dir() else package.parent / "ci-templates" / "gitea"
    return {name: (folder / f"{name}.yml").read_text(encoding="utf-8") for name in _NAMES}
