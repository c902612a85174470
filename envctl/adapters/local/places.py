"""Where the embedded clusters keep things. Cheap to import: every verb looks here for tools.

=====================  ===========================================================
``ENVCTL_CACHE_DIR``   what was built (default ``$XDG_CACHE_HOME/envctl``)
``ENVCTL_LOCAL_DIR``   a folder for each cluster (``$XDG_STATE_HOME/envctl/clusters``)
=====================  ===========================================================
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

DEFAULT_NAME = "default"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")


def cache_folder() -> Path:
    """Where what was built is kept, for all clusters of this user."""
    return _folder("ENVCTL_CACHE_DIR", "XDG_CACHE_HOME", ".cache", "envctl")


def clusters_folder() -> Path:
    """Where the clusters' own folders are."""
    return _folder("ENVCTL_LOCAL_DIR", "XDG_STATE_HOME", ".local/state", "envctl/clusters")


def _folder(own: str, xdg: str, fallback: str, below: str) -> Path:
    named = os.environ.get(own)
    if named:
        return Path(named).absolute()
    base = os.environ.get(xdg)
    return (Path(base) if base else Path.home() / fallback) / below


def sources_folder() -> Path:
    """The Go module: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "_cluster"
    return installed if installed.is_dir() else package.parent / "cluster"


def current_programs() -> Path:
    """A link to the programs that were built or unpacked last."""
    return cache_folder() / "cluster" / "current"


@dataclass(frozen=True, slots=True)
class Place:
    """The names and files of one cluster."""

    name: str
    folder: Path

    @property
    def context(self) -> str:
        """Its kubeconfig context, which is also its node's name."""
        return "envctl-local" if self.name == DEFAULT_NAME else f"envctl-local-{self.name}"

    @property
    def cgroup(self) -> str:
        """Its control group: two users' clusters may share a name, but not a folder."""
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        return f"{self.context}-{digest}"

    @property
    def config(self) -> Path:
        """What it was started with."""
        return self.folder / "config.json"

    @property
    def status(self) -> Path:
        """What its supervisor says about it."""
        return self.folder / "status.json"

    @property
    def lock(self) -> Path:
        """Locked as long as anything of it runs."""
        return self.folder / "lock"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's credentials."""
        return self.folder / "kubeconfig"

    @property
    def log(self) -> Path:
        """What the supervisor printed; the components' logs are beside it."""
        return self.folder / "log" / "supervisor.log"


def place(name: str) -> Place:
    """The place of a cluster; raises ValueError for a name that Kubernetes would refuse."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a cluster")
    return Place(name, clusters_folder() / name)
