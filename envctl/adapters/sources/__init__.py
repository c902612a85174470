"""Component types: each a file that turns its source into objects, and one line here.

A new type is a new file beside these, a line in ``open_sources`` and its key in the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.adapters.sources.commands import Commands
from envctl.adapters.sources.helm import HelmReleases
from envctl.adapters.sources.kustomize import Kustomize
from envctl.adapters.sources.manifests import Manifests

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envctl.adapters.kubernetes.connect import Target
    from envctl.ports.sources import Source


def open_sources(target: Target | None, tools: Sequence[Path]) -> dict[str, Source]:
    """Every component type by its key in envctl.yaml; without a target they only render."""
    manifests = Manifests()
    releases = HelmReleases(target, tools)
    return {
        "helm": releases,
        "chart": releases,  # in a confined environment: rendered by Helm, applied like manifests
        "kustomize": Kustomize(tools),
        "manifests": manifests,
        "job": manifests,
        "check": manifests,
        "command": Commands(target),
    }
