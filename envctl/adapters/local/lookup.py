"""What other verbs want to know of the embedded clusters: their kubeconfigs and their tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.adapters.local.places import clusters_folder, current_programs

if TYPE_CHECKING:
    from pathlib import Path


def kubeconfigs() -> list[Path]:
    """The kubeconfigs of all embedded clusters of this user, running or not."""
    return sorted(clusters_folder().glob("*/kubeconfig"))


def tool_folders() -> list[Path]:
    """Folders with helm, helm3, kubectl and kustomize, where they have been built."""
    folder = current_programs() / "bin"
    return [folder] if folder.is_dir() else []
