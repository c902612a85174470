"""Plain manifests, and Jobs, which are one manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.adapters.sources import objects
from envctl.errors import ConfigError
from envctl.model.objects import Obj, digest
from envctl.model.spec import Check, Component, JobSource, ManifestsSource
from envctl.ports.sources import Rendered

if TYPE_CHECKING:
    from pathlib import Path

    from envctl.model.environment import Environment


class Manifests:
    """Reads files; see ``envctl.ports.sources.Source``."""

    async def fingerprint(self, component: Component | Check, environment: Environment) -> str:
        """The digest of the objects themselves: reading them is cheap."""
        rendered = await self.render(component, environment)
        return digest(rendered.objects)

    async def render(self, component: Component | Check, environment: Environment) -> Rendered:
        """The objects of the files, in the order of their paths; raises ConfigError."""
        del environment  # plain manifests have no templating
        source = component.source
        if isinstance(source, JobSource):
            found = [_only_job(source.path)]
        elif isinstance(source, ManifestsSource):
            found = [o for file in source.files for o in objects.parse(_read(file), str(file.name))]
        else:
            raise TypeError(source)
        return Rendered(tuple(objects.with_images(found, component.images)))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > objects.MAX_BYTES:
            return b" " * (objects.MAX_BYTES + 1)  # parse says that it is too large
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read.", why=f"The system says: {error.strerror}.",
            next="Correct the path or the file's permissions.",
        ) from error  # fmt: skip


def _only_job(path: Path) -> Obj:
    found = objects.parse(_read(path), path.name)
    if len(found) != 1 or found[0]["kind"] != "Job":
        kinds = ", ".join(obj["kind"] for obj in found) or "nothing"
        raise ConfigError(
            f"{path.name} is not one Job.",
            why=f"It holds {kinds}.",
            next="Put exactly one batch/v1 Job into it; the rest belongs into a component.",
        )
    return found[0]
