"""Where embedded clusters keep what other verbs need: kubeconfigs and the tools they brought."""

from __future__ import annotations

import os
from pathlib import Path


def kubeconfigs() -> list[Path]:
    """The kubeconfig of every embedded cluster that was ever started here."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return sorted(home.glob("envctl/local/*/kubeconfig"))


def tool_folders() -> list[Path]:
    """Folders with helm, kustomize and kubectl that a start has built."""
    return []
