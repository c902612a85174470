"""What a kustomization leads to: kustomize itself keeps files in its folder, but follows bases.

A base may lie in any folder of the machine, or be fetched from anywhere. Both are found here,
before kustomize runs: the first is refused, the second only where the author is not trusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from envctl.config import yamlfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
#: Keys whose entries may be folders. Kustomize reads them by Go's rules, whatever their case.
_FOLLOWED = frozenset({
    "resources", "bases", "components", "generators", "transformers", "validators", "crds",
    "configurations",
})  # fmt: skip
#: Kustomizations that one leads to, bytes of one file; more was not written by people.
MAX_FOLDERS, MAX_BYTES = 500, 1024 * 1024
#: What kustomize takes for a repository even where a folder of that name is there.
_URL = re.compile(r"^[\w.+-]+:|^[\w.-]+@|^github\.com|\.git\b|_git/|\?", re.IGNORECASE)


class NotFollowed(ValueError):
    """A kustomization that leads out of the repository, or cannot be read, as half a sentence."""


def file_of(folder: Path) -> Path | None:
    """The kustomization in a folder, if there is one."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def remote(folder: Path, root: Path) -> tuple[str, ...]:
    """What it names that is no file here, so that kustomize would fetch it; sorted.

    Raises NotFollowed where it, or a kustomization that it is built from, leads out of ``root``.
    """
    found: set[str] = set()
    seen: set[Path] = set()
    waiting = [folder.resolve()]
    while waiting:
        base = waiting.pop()
        if base in seen:
            continue
        seen.add(base)
        if len(seen) > MAX_FOLDERS:
            raise NotFollowed(f"the kustomization leads to more than {MAX_FOLDERS} others")
        for entry in _entries(base, root):
            target = (base / entry).resolve()
            if entry.lower().startswith("file:") or (
                target.exists() and not target.is_relative_to(root)
            ):
                raise NotFollowed(
                    f"the kustomization in {base.name!r} leads outside the repository: {entry!r}"
                )
            if _URL.search(entry) or not target.exists():
                found.add(entry)
            elif target.is_dir():
                waiting.append(target)
    return tuple(sorted(found))


def _entries(folder: Path, root: Path) -> Iterator[str]:
    file = file_of(folder)
    if file is None:
        return
    if not file.resolve().is_relative_to(root):
        raise NotFollowed(f"{file.name} in {folder.name!r} leads outside the repository")
    found = _read(file)
    for key, value in found.items():
        if isinstance(key, str) and key.lower() in _FOLLOWED and isinstance(value, list):
            for entry in value:
                if isinstance(entry, str) and "\n" not in entry and "\0" not in entry:
                    yield entry


def _read(file: Path) -> dict[Any, Any]:
    """The file's mapping; what we cannot read, kustomize does not get to read either."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise NotFollowed(f"{file.name} in {file.parent.name!r} is larger than a kustomization")
        text = file.read_bytes()
        yamlfile.refuse_depth(text)
        found = yaml.load(text, Loader=yamlfile.FAST)  # noqa: S506 - safe, and in C where it is to be had
    except (OSError, yaml.YAMLError, ValueError, RecursionError, LookupError, TypeError) as error:
        if isinstance(error, NotFollowed):
            raise
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotFollowed(
            f"{file.name} in {file.parent.name!r} is not valid YAML: {line}"
        ) from error
    return found if isinstance(found, dict) else {}
