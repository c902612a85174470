"""What the workflows need of a component type: its objects, and a digest of all that makes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envctl.model.environment import Environment
    from envctl.model.objects import Obj
    from envctl.model.spec import Check, Component


@dataclass(frozen=True, slots=True)
class Rendered:
    """A component's objects as its source gives them; ``hooks`` are run by Helm, not applied."""

    objects: tuple[Obj, ...]
    hooks: tuple[Obj, ...] = field(default=())


class Source(Protocol):
    """Turns one component (or check) into objects; the same inputs give the same objects."""

    async def fingerprint(self, component: Component | Check, environment: Environment) -> str:
        """A digest of every input, cheap enough to be made on each run."""
        ...

    async def render(self, component: Component | Check, environment: Environment) -> Rendered:
        """The objects; raises EnvctlError with the tool's own message where they do not render."""
        ...


class Records(Protocol):
    """What Helm keeps of one release in the cluster: a Secret for each of its revisions."""

    async def history(self) -> list[tuple[int, str]]:
        """The revisions and their statuses as of now, oldest first."""
        ...

    async def forget(self, made: Sequence[Obj]) -> None:
        """Take the records away, given what the newest of them lists; what holds data stays."""
        ...


class Releases(Source, Protocol):
    """Helm: a source whose objects are deployed by the tool itself."""

    async def deploy(
        self,
        component: Component,
        environment: Environment,
        timeout: float,
        say: Callable[[str], None],
        records: Records,
    ) -> tuple[Obj, ...]:
        """Install or upgrade the release and return the objects of its manifest.

        A release that a killed run left pending is repaired first, and ``say`` is told so.
        One that must be installed anew is forgotten by its ``records``.
        """
        ...

    async def uninstall(self, name: str, namespace: str, timeout: float) -> None:
        """Uninstall so that its hooks run; a release that is gone is no error."""
        ...


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, negative for a signal, and the texts that it left.

    ``metrics`` and ``report`` are what it wrote into the files that ENVCTL_METRICS and ENVCTL_JUNIT
    name; empty where it wrote none.
    """

    code: int
    metrics: str = ""
    report: str = ""


class Commands(Source, Protocol):
    """Checks that are commands on this machine: they have no objects."""

    def require(self, check: Check) -> None:
        """Raise ConfigError where the check's program is not on this machine."""
        ...

    async def run(
        self, check: Check, variables: Mapping[str, str], timeout: float,
        heard: Callable[[str], None],
    ) -> Ran:  # fmt: skip
        """Run it once, with these variables besides this process's own.

        ``heard`` gets each line that it writes. Raises TimedOut after ``timeout`` seconds, and
        ConfigError where there is no such program.
        """
        ...
