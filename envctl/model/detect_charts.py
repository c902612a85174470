"""Helm charts of a repository: which are applications, and which only parts of others."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from envctl.model import repository as repo
from envctl.model.found import Part, Skipped

if TYPE_CHECKING:
    from envctl.model.repository import Repository


def charts(repository: Repository) -> tuple[list[Part], list[Skipped], list[str]]:
    """The charts to deploy, those that are left out, and what is to be known about them."""
    found = {repo.folder_of(f): repository.first(f) for f in repository.named("Chart.yaml")}
    used = {
        path: folder
        for folder, chart in found.items()
        for path in (_local(folder, dep) for dep in _dependencies(chart))
        if path
    }
    parts, skipped, notes = [], [], []
    for folder, chart in sorted(found.items()):
        why = _no_application(folder, chart, list(found), used)
        if why:
            skipped.append(Skipped(folder or ".", why))
            continue
        name = str(chart.get("name") or repo.telling(folder, repository.name))
        values, reason = _values(repository, folder)
        parts.append(Part(name, "helm", folder or ".", f"a Helm chart{reason}", values=values))
        notes += _missing(repository, folder, chart)
    return parts, skipped, notes


def folders(repository: Repository) -> list[str]:
    """Every folder of a chart: what is in it is the chart's."""
    return [repo.folder_of(f) for f in repository.files if PurePosixPath(f).name == "Chart.yaml"]


def _no_application(
    folder: str, chart: dict[str, Any], others: list[str], used: dict[str, str]
) -> str:
    for other in others:
        prefix = f"{other}/charts/" if other else "charts/"
        if folder != other and folder.startswith(prefix) and other in others:
            return f"a part of the chart {other or '.'}"
    if chart.get("type") == "library":
        return "a library for other charts"
    if folder in used:
        return f"a dependency of the chart {used[folder] or '.'}"
    return ""


def _dependencies(chart: dict[str, Any]) -> list[dict[str, Any]]:
    found = chart.get("dependencies")
    return [d for d in found if isinstance(d, dict)] if isinstance(found, list) else []


def _local(folder: str, dependency: dict[str, Any]) -> str:
    """The folder that ``repository: file://…`` means, or empty."""
    source = str(dependency.get("repository", ""))
    return joined(folder, source.removeprefix("file://")) if source.startswith("file://") else ""


def joined(folder: str, path: str) -> str:
    """A path seen from a folder, with its dots resolved; what leads out of the root stays there."""
    parts: list[str] = []
    for word in (*folder.split("/"), *path.split("/")):
        if word == "..":
            parts = parts[:-1]
        elif word not in ("", "."):
            parts.append(word)
    return "/".join(parts)


def _values(repository: Repository, folder: str) -> tuple[tuple[str, ...], str]:
    """The values file that is made for a preview, beside the chart's own."""
    candidates = []
    for path in repository.below(folder):
        file = PurePosixPath(path)
        if file.suffix not in (".yaml", ".yml") or repo.folder_of(path) != folder:
            continue
        for mark in ("values-", "values.", "values_"):
            word = file.stem.removeprefix(mark)
            if word != file.stem and repo.preference(word) < len(repo.PREVIEW):
                candidates.append((repo.preference(word), path))
    if not candidates:
        return (), ""
    chosen = min(candidates)[1]
    return (chosen,), f", with {PurePosixPath(chosen).name} as it is named for such environments"


def _missing(repository: Repository, folder: str, chart: dict[str, Any]) -> list[str]:
    brought = "".join(repository.below(f"{folder}/charts" if folder else "charts"))
    names = [
        str(d.get("name"))
        for d in _dependencies(chart)
        if str(d.get("name")) not in brought and not _local(folder, d)
    ]
    if not names:
        return []
    where = folder or "."
    command = f"helm dependency build {where}"
    return [f"The chart {where} needs {', '.join(names)}: run `{command}` before envctl."]
