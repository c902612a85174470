"""Adds a cluster's context to a kubeconfig of the user's, when asked to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import yaml

from envctl.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_LISTS = ("clusters", "users", "contexts")


def merge(source: Path, target: Path) -> None:
    """Put the entries of ``source`` into ``target``, in place of those of the same name.

    The current context stays what it is, unless there was none. Raises ConfigError for a target
    that is no kubeconfig; it is left as it was then.
    """
    mine = yaml.safe_load(source.read_text())
    theirs = _read(target)
    for kind in _LISTS:
        names = {entry["name"] for entry in mine[kind]}
        kept = [entry for entry in theirs.get(kind) or [] if entry.get("name") not in names]
        theirs[kind] = kept + mine[kind]
    theirs["current-context"] = theirs.get("current-context") or mine["current-context"]
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.envctl")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(theirs, file, sort_keys=False)
    partial.replace(target)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"apiVersion": "v1", "kind": "Config"}
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise _refused(path, str(error).splitlines()[0]) from error
    if not isinstance(found, dict):
        raise _refused(path, "it is not a mapping")
    return found


def _refused(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{path} was left as it is.",
        why=f"It cannot be read as a kubeconfig: {why}.",
        next="Name another file with KUBECONFIG, or leave out --merge-kubeconfig.",
    )
