"""Kustomizations of a repository: of each family of overlays, the one that suits a preview."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from envctl.model import repository as repo
from envctl.model.detect_charts import joined
from envctl.model.found import Part, Skipped

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.model.repository import Repository

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_REFERENCES = ("resources", "bases", "components")


def kustomizations(
    repository: Repository, taken: list[str]
) -> tuple[list[Part], list[Skipped], list[str]]:
    """One component for each family of overlays; ``taken`` are folders of charts."""
    files = [f for f in repository.named(*FILES) if not repo.inside(repo.folder_of(f), taken)]
    found = {repo.folder_of(f): repository.first(f) for f in files}
    uses = {folder: _references(folder, what) for folder, what in found.items()}
    used = {path for paths in uses.values() for path in paths}
    families: dict[str, list[str]] = defaultdict(list)
    for folder, what in found.items():
        if what.get("kind") != "Component" and folder not in used:
            families[_family(folder)].append(folder)
    parts, skipped, notes = [], [], []
    for family, roots in sorted(families.items()):
        chosen, why, left = _choose(roots, uses, found)
        skipped += [Skipped(f or ".", reason) for f, reason in left]
        if not chosen:
            continue
        name = repo.telling(family, repository.name)
        objects = tuple(_objects(repository, chosen, uses, found))
        parts.append(Part(name, "kustomize", chosen, why, objects=objects))
        space = found[chosen].get("namespace")
        if space:
            notes.append(
                f"{chosen}/kustomization.yaml sets the namespace {space!r}: remove the line, for "
                "each environment has a namespace of its own."
            )
    return parts, skipped, notes


def folders(repository: Repository) -> list[str]:
    """Every folder with a kustomization: what is in it is the kustomization's."""
    return [repo.folder_of(f) for f in repository.files if f.rpartition("/")[2] in FILES]


def _references(folder: str, what: dict[str, Any]) -> list[str]:
    lists = [what.get(key) for key in _REFERENCES]
    paths = [p for found in lists if isinstance(found, list) for p in found if isinstance(p, str)]
    return [joined(folder, path) for path in paths if "://" not in path]


def _family(folder: str) -> str:
    """What the overlays of one application have in common: where their folders stand."""
    parent, _, last = folder.rpartition("/")
    if parent.rpartition("/")[2] == "overlays" or parent == "overlays":
        return parent.rpartition("/")[0]
    if repo.preference(last) < len(repo.PREVIEW) or repo.is_production(last):
        return parent
    return folder


def _choose(
    roots: list[str], uses: dict[str, list[str]], found: dict[str, Any]
) -> tuple[str, str, list[tuple[str, str]]]:
    """The root that suits a preview, why, and the others with the reason each is left out."""
    production = [f for f in roots if repo.is_production(f.rpartition("/")[2])]
    others = sorted(set(roots) - set(production), key=lambda f: (_rank(f), f))
    left = [(f, "an overlay for production") for f in sorted(production)]
    if others:
        best, *rest = others
        left += [(f, f"{best} suits a preview better") for f in rest]
        return best, _reason(best, bool(production or rest)), left
    bases = sorted({b for f in production for b in uses[f] if b in found})
    if not bases:
        return "", "", left
    return bases[0], "the base, as its only overlays are for production", left


def _rank(folder: str) -> int:
    return repo.preference(folder.rpartition("/")[2])


def _reason(folder: str, chosen: bool) -> str:
    last = folder.rpartition("/")[2]
    if _rank(folder) < len(repo.PREVIEW):
        return f"the overlay {last!r}" + (", which suits a preview best" if chosen else "")
    return "a kustomization" + (", the first that is not for production" if chosen else "")


def _objects(
    repository: Repository, folder: str, uses: dict[str, list[str]], known: dict[str, Any],
    depth: int = 0,
) -> list[Obj]:  # fmt: skip
    """Objects in the files that a kustomization lists, and in those of what it builds on.

    They are called as they will be once it has added its prefix and suffix.
    """
    found: list[Obj] = []
    for path in uses.get(folder, []) if depth < 10 else []:
        found += [d for d in repository.mappings(path) if _named(d)]
        found += _objects(repository, path, uses, known, depth + 1)
    what = known.get(folder, {})
    before, after = what.get("namePrefix") or "", what.get("nameSuffix") or ""
    return [_renamed(obj, str(before), str(after)) for obj in found]


def _named(value: dict[str, Any]) -> bool:
    meta = value.get("metadata")
    return bool(value.get("kind") and isinstance(meta, dict) and meta.get("name"))


def _renamed(obj: Obj, before: str, after: str) -> Obj:
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, "name": f"{before}{meta['name']}{after}"}}
