"""Commands that are checks: run on this machine, with what they need to find the environment."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.adapters import streaming
from envctl.errors import ConfigError
from envctl.model.objects import digest
from envctl.model.spec import Check, CommandSource, Component
from envctl.ports.sources import Ran, Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envctl.adapters.kubernetes.connect import Target
    from envctl.model.environment import Environment

#: Bytes that are read of the files that a command may leave its numbers and its report in.
METRICS, REPORT = 64 * 1024, 16 * 1024 * 1024
#: What is envctl's own: a check has no business with the forge, nor with a token for the cluster
#: that is not in the kubeconfig it is given.
_WITHHELD = ("ENVCTL_FORGE_TOKEN", "ENVCTL_API_TOKEN")
#: What programs leave behind as they run, and what is no part of what they do.
_PASSING = "__pycache__"


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs commands; see ``envctl.ports.sources.Commands``."""

    target: Target | None

    async def fingerprint(self, component: Component | Check, environment: Environment) -> str:
        """A digest of the words, and of the files and folders of the repository among them."""
        del environment  # its URL, where it matters, is among the words
        source = _source(component)
        return digest([source.argv, [_digest_of(path) for path in source.named]])

    async def render(self, component: Component | Check, environment: Environment) -> Rendered:
        """No objects; raises ConfigError where a program of the repository's own is not there.

        Others are looked for where the check is to run: a machine that only validates need not
        have them.
        """
        del environment
        if os.sep in _source(component).argv[0]:
            _program(component)
        return Rendered(())

    def require(self, check: Check) -> None:
        """Raise ConfigError where the program is not on this machine."""
        _program(check)

    async def run(
        self, check: Check, variables: Mapping[str, str], timeout: float,
        heard: Callable[[str], None],
    ) -> Ran:  # fmt: skip
        """How it ended, and what it left."""
        source, program = _source(check), _program(check)
        env = {name: value for name, value in os.environ.items() if name not in _WITHHELD}
        if self.target is not None and self.target.kubeconfig:
            env["KUBECONFIG"] = self.target.kubeconfig
        with tempfile.TemporaryDirectory(
            prefix="envctl-check-",
            ignore_cleanup_errors=True,  # what the command has left running may write there still
        ) as folder:
            metrics, report = Path(folder, "metrics"), Path(folder, "junit.xml")
            env |= {**variables, "ENVCTL_METRICS": str(metrics), "ENVCTL_JUNIT": str(report)}
            command = [program, *source.argv[1:]]
            if source.pytest:
                command[1:1] = [f"--junit-xml={report}", "--override-ini=junit_family=xunit2"]
            try:
                code = await streaming.stream(
                    command, heard, env=env, cwd=source.folder, timeout=timeout
                )
            except OSError as error:
                raise _missing(check.name, source.argv[0], f"{error.strerror}") from error
            return Ran(code, _text(metrics, METRICS), _text(report, REPORT))


def _source(component: Component | Check) -> CommandSource:
    if not isinstance(component.source, CommandSource):
        raise TypeError(component.source)
    return component.source


def _program(check: Component | Check) -> str:
    """The path of the program: a name is looked for on PATH, a path begins at envctl.yaml."""
    source = _source(check)
    word = source.argv[0]
    found = shutil.which(str(source.folder / word) if os.sep in word else word)
    if found is None:
        raise _missing(check.name, word, "It is no program that can be run")
    return found


def _missing(check: str, word: str, why: str) -> ConfigError:
    return ConfigError(
        f"The command of the check {check!r} cannot be run.",
        why=f"{word[:200]!r}: {why}.",
        next="Install it where envctl runs; a script begins with what runs it: [sh, load.sh].",
    )


def _text(file: Path, most: int) -> str:
    """What is in the file; empty where there is none, or a pipe that would never end."""
    if not file.is_file():
        return ""
    try:
        with file.open("rb") as opened:
            return opened.read(most).decode(errors="replace")
    except OSError:  # it may not be read, which its owner has chosen
        return ""


def _digest_of(path: Path) -> str:
    """SHA-256 over names and contents below a file or folder; links are what they point to by name.

    Raises ConfigError for what cannot be read.
    """
    found = hashlib.sha256()
    for file in _files(path):
        name = f"{file.relative_to(path)}\0".encode(errors="surrogateescape")
        try:
            found.update(name)
            if file.is_symlink() and file != path:
                found.update(str(file.readlink()).encode(errors="surrogateescape"))
                continue
            with file.open("rb") as opened:
                found.update(hashlib.file_digest(opened, "sha256").digest())
        except OSError as error:
            raise ConfigError(
                f"{file} cannot be read.", why=f"The system says: {error.strerror}.",
                next="Correct the file's permissions.",
            ) from error  # fmt: skip
    return found.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    """The files below a folder in a fixed order, without hidden ones; no link is followed."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n != _PASSING)
        yield from (
            file
            for name in sorted(files)
            if not name.startswith(".") and ((file := Path(folder, name)).is_file())
        )
