"""From a repository to the components that `init` writes: pure, and in doubt left out.

A chart is a component, of each family of overlays one kustomization, and of each folder of plain
manifests what may be in a namespace. Nothing is guessed that could deploy what is production's.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from envctl.model import detect_charts, detect_kustomize, detect_manifests, detect_skaffold
from envctl.model import repository as repo
from envctl.model.detect_relations import unique, with_expose, with_needs
from envctl.model.found import Findings, Part, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.model.repository import Repository

_COMPOSE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


def detect(repository: Repository, project: str, label: Callable[[str], str]) -> Findings:
    """Look at everything; ``label`` makes a valid name of any text."""
    charts, no_charts, chart_notes = detect_charts.charts(repository)
    in_charts = detect_charts.folders(repository)
    overlays, no_overlays, overlay_notes = detect_kustomize.kustomizations(repository, in_charts)
    taken = [*in_charts, *detect_kustomize.folders(repository)]
    plain, checks, unfit = detect_manifests.manifests(repository, taken)
    charts, ordered = _by_skaffold(repository, charts)
    taken_names: set[str] = set()
    parts = unique([*charts, *overlays, *plain], label, taken_names)
    parts, why_needs = with_needs(parts)
    parts = _in_order(parts, len(ordered)) if len(ordered) > 1 else parts
    parts, why_expose = with_expose(parts) if parts else (parts, [])
    return Findings(
        project=project,
        components=tuple(_sorted(parts)),
        checks=tuple(unique(checks, label, taken_names)),
        skipped=(*no_charts, *no_overlays, *unfit, *_foreign(repository)),
        notes=(*why_needs, *why_expose, *chart_notes, *overlay_notes, *_notes(repository, ordered)),
    )


def _by_skaffold(repository: Repository, charts: list[Part]) -> tuple[list[Part], list[Part]]:
    """Charts with the names and values that skaffold gives them, its own first, in its order."""
    left = {chart.path: chart for chart in charts}
    named = []
    for release in detect_skaffold.releases(repository):
        chart = left.pop(release.chart or ".", None)
        if chart is None:
            continue
        values = tuple(v for v in release.values if v in repository.files)
        why = "a Helm chart, named as in skaffold.yaml"
        named.append(replace(chart, name=release.name, values=values or chart.values, why=why))
    return [*named, *left.values()], named


def _in_order(parts: list[Part], count: int) -> list[Part]:
    """Skaffold deploys one release after the other, so each may rely on the one before it."""
    chained = [replace(part, needs=(before.name,)) for before, part in pairwise(parts[:count])]
    return [replace(parts[0], needs=()), *chained, *parts[count:]]


def _sorted(parts: list[Part]) -> list[Part]:
    """What is needed stands before what needs it; otherwise the order stays."""
    done: list[Part] = []
    left = list(parts)
    while left:
        names = {part.name for part in done}
        ready = [part for part in left if set(part.needs) <= names]
        done += ready or left  # a cycle cannot come about; if it did, the file would say so
        left = [part for part in left if part not in done]
    return done


def _foreign(repository: Repository) -> list[Skipped]:
    return [
        Skipped(path, "Compose is not Kubernetes: write manifests or a chart for these services")
        for path in repository.named(*_COMPOSE)
    ]


def _notes(repository: Repository, ordered: list[Part]) -> list[str]:
    found = []
    if len(ordered) > 1:
        names = ", ".join(part.name for part in ordered)
        found.append(f"{names} come one after the other, as in skaffold.yaml.")
    images = detect_skaffold.images(repository)
    if images:
        found.append(
            f"skaffold builds {', '.join(images)}: build them in the pipeline, and put them in "
            "with `images` and --image."
        )
    aside = sorted({
        repo.folder_of(f) for f in repository.files
        if repo.aside(f) and f.endswith(("Chart.yaml", "kustomization.yaml"))
        and not repo.inside(repo.folder_of(f), detect_charts.folders(repository))
    })  # fmt: skip
    if aside:
        found.append(f"Not looked at, by their folders' names: {', '.join(aside[:5])}.")
    return found
