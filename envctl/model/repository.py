"""A repository as `init` sees it: its files, what their YAML says, and where it is hosted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Folders whose names say that their content is an example, a test's data, or somebody else's.
_ASIDE = frozenset({
    "vendor", "node_modules", "third_party", "testdata", "fixtures", "examples", "example",
    "samples", "templates", "charts-archive",
})  # fmt: skip
#: Names of environments in overlays and values files, the best for a preview first.
PREVIEW = ("preview", "review", "dev", "development", "staging", "stage")
_PRODUCTION = re.compile(r"(prod|production|live)([-_.].*)?|.*[-_.](prod|production|live)")
#: Folders that say nothing about what is in them.
_GENERIC = frozenset({
    "", ".", "deploy", "deployment", "deployments", "k8s", "kube", "kubernetes", "manifests",
    "manifest", "base", "overlays", "config", "configs", "chart", "charts", "helm", "infra", "ops",
    "yaml", "resources", ".k8s", ".kube",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repository:
    """Paths are relative, with slashes. ``documents`` has those files that are plain YAML."""

    name: str
    files: tuple[str, ...] = ()
    documents: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    origin: str = ""

    def mappings(self, path: str) -> list[dict[str, Any]]:
        """The mappings of a YAML file; empty where it is none, or holds templates."""
        return [d for d in self.documents.get(path, ()) if isinstance(d, dict)]

    def first(self, path: str) -> dict[str, Any]:
        """The first mapping of a YAML file."""
        return next(iter(self.mappings(path)), {})

    def named(self, *names: str) -> list[str]:
        """The files of these names, wherever they are, except aside."""
        return [f for f in self.files if PurePosixPath(f).name in names and not aside(f)]

    def below(self, folder: str) -> list[str]:
        """The files in a folder and below it."""
        prefix = "" if folder in ("", ".") else f"{folder}/"
        return [f for f in self.files if f.startswith(prefix)]


def folder_of(path: str) -> str:
    """The folder of a file; empty for the repository's root."""
    return path.rpartition("/")[0]


def aside(path: str) -> bool:
    """Whether a file lies where nobody keeps what is to be deployed."""
    return bool(_ASIDE.intersection(path.split("/")[:-1]))


def is_production(word: str) -> bool:
    """Whether a folder or values file is for production by its name."""
    return bool(_PRODUCTION.fullmatch(word.lower()))


def preference(word: str) -> int:
    """How well the name of an environment suits a preview; smaller is better."""
    return PREVIEW.index(word.lower()) if word.lower() in PREVIEW else len(PREVIEW)


def telling(path: str, default: str) -> str:
    """The last folder of a path that says what is in it."""
    words = [w for w in path.split("/") if w not in _GENERIC and preference(w) == len(PREVIEW)]
    return words[-1] if words else default


def inside(path: str, folders: list[str]) -> bool:
    """Whether a path is one of these folders or below one."""
    return any(path == f or path.startswith(f"{f}/") or f == "" for f in folders)
