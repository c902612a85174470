"""The folder that `init` looks at: what git knows of it, else what lies in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from envctl.adapters.sources.objects import UNREADABLE, bounded, documents
from envctl.errors import ConfigError
from envctl.model.repository import Repository

if TYPE_CHECKING:
    from pathlib import Path

#: A repository with more files is looked at in part, which is said.
MAX_FILES = 50_000
#: Bytes of one YAML file; larger ones are data or generated.
MAX_BYTES = 1024 * 1024
#: YAML files that are read.
MAX_READ = 5_000
_YAML = (".yaml", ".yml", ".json")
_LEFT_OUT = frozenset({
    ".git", "node_modules", "vendor", ".venv", "venv", "target", "dist", "__pycache__", ".tox",
    ".terraform",
})  # fmt: skip


class LocalFolder:
    """A folder on this machine; see ``envctl.ports.repository.Folder``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def look(self) -> Repository:
        """Its files and what their YAML says; raises ConfigError where there are too many."""
        files = self._by_git() or self._by_walking()
        if len(files) > MAX_FILES:
            raise ConfigError(
                f"There are more than {MAX_FILES} files here.",
                why="It looks like more than one repository.",
                next="Run it at the root of the repository that is to be deployed.",
            )
        readable = [f for f in files if f.endswith((*_YAML, "Kustomization"))][:MAX_READ]
        documents = {f: found for f in readable if (found := self._documents(f)) is not None}
        name = self.root.resolve().name
        return Repository(name, tuple(files), documents, self._git("remote", "get-url", "origin"))

    def exists(self, path: str) -> bool:
        """Whether there is anything at a path, a dangling link included."""
        return os.path.lexists(self.root / path)

    def create(self, path: str, text: str) -> bool:
        """Write a file that is not there; False where it is."""
        file = self.root / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as new:
                new.write(text)
        except FileExistsError:
            return False
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be written.",
                why=f"The system says: {error.strerror}.",
                next="Correct the folder's permissions, then run the command again.",
            ) from error
        return True

    def _by_git(self) -> list[str]:
        """What is tracked or new, without what is ignored; empty where git does not know."""
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return sorted(f for f in listed.split("\0") if f and (self.root / f).is_file())

    def _by_walking(self) -> list[str]:
        found: list[str] = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(set(folders) - _LEFT_OUT)
            base = os.path.relpath(folder, self.root).replace(os.sep, "/")
            prefix = "" if base == "." else f"{base}/"
            found += [f"{prefix}{name}" for name in sorted(files)]
            if len(found) > MAX_FILES:
                break
        return found

    def _git(self, *arguments: str) -> str:
        if not shutil.which("git"):
            return ""
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments],
            capture_output=True,
            text=True,
            errors="replace",  # such a name is no file then, and left out
            check=False,
            timeout=30,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def _documents(self, path: str) -> tuple[Any, ...] | None:
        """The documents of a file; None for one that is no YAML, as a template is not."""
        file = self.root / path
        try:
            if file.stat().st_size > MAX_BYTES or not file.resolve().is_relative_to(
                self.root.resolve()
            ):
                return None
            found = documents(file.read_bytes())
            bounded(found, path)
        except (*UNREADABLE, OSError, ConfigError):
            return None
        return tuple(found)
