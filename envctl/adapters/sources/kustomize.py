"""Kustomizations, built by kustomize itself (or the one inside kubectl)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envctl.adapters import tools
from envctl.adapters.sources import objects
from envctl.errors import ConfigError
from envctl.model.objects import digest
from envctl.model.spec import Check, Component, KustomizeSource
from envctl.ports import attempt, timing
from envctl.ports.sources import Rendered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envctl.model.environment import Environment

#: Seconds a build may take; a remote base is fetched inside it.
TIMEOUT = 60.0

_LOGGED = re.compile(r'^E\d{4} .*"command failed" err="(.*)"$', re.DOTALL | re.MULTILINE)


class Kustomize:
    """Runs ``kustomize build``; see ``envctl.ports.sources.Source``."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = folders
        self._built: dict[tuple[Path, str], Rendered] = {}

    async def fingerprint(self, component: Component | Check, environment: Environment) -> str:
        """The digest of what it builds: bases may lie anywhere, so only the result is certain."""
        rendered = await self.render(component, environment)
        return digest(rendered.objects)

    async def render(self, component: Component | Check, environment: Environment) -> Rendered:
        """Build the kustomization once a run; raises ConfigError with kustomize's own words."""
        source = component.source
        if not isinstance(source, KustomizeSource):
            raise TypeError(source)
        key = (source.path, component.name)
        if key not in self._built:
            found = objects.parse(await self._build(source.path), f"the build of {component.name}")
            self._built[key] = Rendered(tuple(objects.with_images(found, component.images)))
        del environment
        return self._built[key]

    async def _build(self, path: Path) -> bytes:
        # Neither exec nor Helm plugins: a merge request's kustomization runs no programs.
        with timing.measured("kustomize", path.name):
            done = await tools.run(
                [*self._command(), str(path)], timeout=attempt.remaining(TIMEOUT)
            )
        if done.code:
            raise ConfigError(
                f"The kustomization in {path.name!r} does not build.",
                why=words(done.stderr)[:2000] + ".",
                next="Correct it; `kustomize build` shows the same message.",
            )
        return done.stdout

    def _command(self) -> list[str]:
        found = tools.find("kustomize", self.folders)
        if found:
            return [found, "build"]
        kubectl = tools.find("kubectl", self.folders)
        if kubectl:
            return [kubectl, "kustomize"]
        return [tools.require("kustomize", self.folders, "A component of type kustomize"), "build"]


def words(stderr: str) -> str:
    """What kustomize says, without what its ways of being run put around it.

    ``kustomize`` begins with "Error: ", ``kubectl kustomize`` with "error: "; as a part of a
    Kubernetes program it logs: ``E1125 09:56:13 … "command failed" err="…"``.
    """
    text = stderr.strip()
    if logged := _LOGGED.search(text):
        return logged[1].replace('\\"', '"').replace("\\n", "\n")
    return text.removeprefix("Error: ").removeprefix("error: ")
