"""What skaffold.yaml says: names and values of Helm releases, and in which order they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.model import repository as repo
from envctl.model.detect_charts import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envctl.model.repository import Repository

FILES = ("skaffold.yaml", "skaffold.yml")


@dataclass(frozen=True, slots=True)
class Release:
    """A Helm release of skaffold; ``chart`` is a folder of the repository."""

    name: str
    chart: str
    values: tuple[str, ...]


def releases(repository: Repository) -> list[Release]:
    """The releases of local charts, in skaffold's order, which deploys one after the other."""
    found = []
    for path in repository.named(*FILES):
        folder = repo.folder_of(path)
        for config in repository.mappings(path):
            found += [r for raw in _raw(config) if (r := _release(raw, folder)) is not None]
    return found


def images(repository: Repository) -> list[str]:
    """The images that skaffold builds."""
    return sorted({
        str(artifact["image"])
        for path in repository.named(*FILES)
        for config in repository.mappings(path)
        for artifact in _list(_map(config, "build").get("artifacts"))
        if artifact.get("image")
    })  # fmt: skip


def _raw(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place in ("manifests", "deploy"):
        yield from _list(_map(_map(config, place), "helm").get("releases"))


def _release(raw: dict[str, Any], folder: str) -> Release | None:
    if not raw.get("name") or not raw.get("chartPath"):
        return None
    files = raw.get("valuesFiles")
    values = [str(v) for v in files] if isinstance(files, list) else []
    return Release(
        str(raw["name"]),
        joined(folder, str(raw["chartPath"])),
        tuple(joined(folder, value) for value in values),
    )


def _map(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
