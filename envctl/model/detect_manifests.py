"""Plain manifests of a repository, by folder, without what an environment may not have."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from envctl.model import repository as repo
from envctl.model.found import Part, Skipped
from envctl.model.objects import WELL_KNOWN, Obj, key_of

if TYPE_CHECKING:
    from envctl.model.objects import Key
    from envctl.model.repository import Repository

#: Folders whose Jobs test what is deployed.
_TESTS = frozenset({"test", "tests", "e2e", "smoke", "acceptance", "checks"})


def manifests(
    repository: Repository, taken: list[str]
) -> tuple[list[Part], list[Part], list[Skipped]]:
    """Components, checks, and what is left out; ``taken`` are folders of charts and kustomize."""
    by_folder: dict[str, dict[str, tuple[Obj, ...]]] = defaultdict(dict)
    skipped: list[Skipped] = []
    for path in repository.files:
        folder = repo.folder_of(path)
        if PurePosixPath(path).suffix not in (".yaml", ".yml", ".json"):
            continue
        if repo.aside(path) or repo.inside(folder, taken):
            continue
        objects = _objects(repository, path)
        if not objects:
            continue
        why = _unfit(path, objects)
        if why:
            skipped.append(Skipped(path, why))
        else:
            by_folder[folder][path] = objects
    kept, left = _environments(by_folder)
    components, checks, twice = _parts(repository, kept)
    return components, checks, [*skipped, *left, *twice]


def _objects(repository: Repository, path: str) -> tuple[Obj, ...]:
    """The Kubernetes objects of a file; none if it holds anything else."""
    found = repository.documents.get(path, ())
    objects: list[Any] = []
    for document in found:
        is_list = isinstance(document, dict) and document.get("kind") == "List"
        items = document.get("items") if is_list else [document]
        objects += items if isinstance(items, list) else [items]
    objects = [o for o in objects if o is not None]
    return tuple(objects) if all(_is_object(o) for o in objects) else ()


def _is_object(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        return False
    named = (value.get("apiVersion"), value.get("kind"), value["metadata"].get("name"))
    space = value["metadata"].get("namespace", "")
    return all(word and isinstance(word, str) for word in named) and isinstance(space, str | None)


def _unfit(path: str, objects: tuple[Obj, ...]) -> str:
    """Why a file cannot be deployed into an environment, or empty."""
    if set(path) & set("*?["):
        return "its name reads as a pattern"
    if any(repo.is_production(word) for word in PurePosixPath(path).with_suffix("").parts):
        return "it is for production"
    for obj in objects:
        called = f"{obj['kind']}/{obj['metadata']['name']}"
        known = WELL_KNOWN.get((str(obj["apiVersion"]), str(obj["kind"])))
        if known is None:
            return f"{called} is of a kind that not every cluster serves"
        if not known.namespaced:
            return f"{called} lies outside of namespaces, which environments share"
        space = obj["metadata"].get("namespace")
        if space:
            return f"{called} names the namespace {space!r}, and each environment has its own"
    return ""


def _environments(
    by_folder: dict[str, dict[str, tuple[Obj, ...]]],
) -> tuple[dict[str, dict[str, tuple[Obj, ...]]], list[Skipped]]:
    """Of folders side by side that are named for environments, the one that suits best."""
    families: dict[str, list[str]] = defaultdict(list)
    for folder in by_folder:
        parent, _, last = folder.rpartition("/")
        if repo.preference(last) < len(repo.PREVIEW):
            families[parent].append(folder)
    left = []
    for folders in families.values():
        best, *rest = sorted(folders, key=lambda f: repo.preference(f.rpartition("/")[2]))
        left += [Skipped(f, f"{best} suits a preview better") for f in rest]
    out = {s.path for s in left}
    return {f: files for f, files in by_folder.items() if f not in out}, left


def _parts(
    repository: Repository, by_folder: dict[str, dict[str, tuple[Obj, ...]]]
) -> tuple[list[Part], list[Part], list[Skipped]]:
    components: list[Part] = []
    checks: list[Part] = []
    skipped: list[Skipped] = []
    seen: dict[Key, str] = {}
    for folder, files in sorted(by_folder.items()):
        plain: dict[str, tuple[Obj, ...]] = {}
        for path, objects in sorted(files.items()):
            twice = next((key_of(o) for o in objects if key_of(o) in seen), None)
            if twice:
                skipped.append(Skipped(path, f"{seen[twice]} has {twice} already"))
                continue
            seen |= {key_of(o): path for o in objects}
            if [o["kind"] for o in objects] != ["Job"]:
                plain[path] = objects
            elif _TESTS.intersection(folder.split("/")):
                checks.append(_job(path, objects, "a Job among the tests"))
            else:
                components.append(_job(path, objects, "a Job that runs to its end"))
        if plain:
            components.append(_folder(repository, folder, plain))
    return components, checks, skipped


def _job(path: str, objects: tuple[Obj, ...], why: str) -> Part:
    return Part(PurePosixPath(path).stem, "job", path, why, objects=objects)


def _folder(repository: Repository, folder: str, files: dict[str, tuple[Obj, ...]]) -> Part:
    """The files of a folder; as one pattern, where nothing in the folder is left out."""
    name = repo.telling(folder, repository.name)
    listed = tuple(files)
    if len(files) > 1:
        for suffix in (".yaml", ".yml", ".json"):
            all_of_it = [f for f in repository.below(folder) if repo.folder_of(f) == folder
                         and f.endswith(suffix)]  # fmt: skip
            if sorted(all_of_it) == sorted(files):
                listed = (f"{folder}/*{suffix}" if folder else f"*{suffix}",)
    count = f"{len(files)} files" if len(files) > 1 else "one file"
    return Part(
        name, "manifests", folder or ".", f"plain manifests, {count}", files=listed,
        objects=tuple(o for objects in files.values() for o in objects),
    )  # fmt: skip
