"""envctl.yaml after validation: what a project wants of every environment of its own.

Durations are seconds, paths are absolute and inside the repository.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.model.readings import TERMINATION
from envctl.model.settling import WINDOW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envctl.model.gates import Gate


@dataclass(frozen=True, slots=True)
class HelmSource:
    """A chart: a folder, a name in a repository (``repository`` set), or an ``oci://`` reference.

    ``values`` are files or inline mappings, later ones win, as Helm's own ``-f`` does it.
    """

    chart: str
    repository: str = ""
    version: str = ""
    values: tuple[Path | Mapping[str, Any], ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether the chart lies in the repository rather than in a registry."""
        return not self.repository and not self.chart.startswith("oci://")


@dataclass(frozen=True, slots=True)
class KustomizeSource:
    """A folder with a kustomization; ``remote`` is what it names that is not in the repository."""

    path: Path
    remote: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ManifestsSource:
    """Files of plain manifests, already found, in the order of their paths."""

    files: tuple[Path, ...]
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobSource:
    """A file with exactly one batch/v1 Job that runs to its end."""

    path: Path


@dataclass(frozen=True, slots=True)
class CommandSource:
    """A command on the machine that envctl runs on, without a shell, in ``folder``.

    ``named`` are the files and folders of the repository among its words: they are what it is made
    of, as far as envctl can know. ``pytest`` is told where to write its report.
    """

    argv: tuple[str, ...]
    folder: Path
    named: tuple[Path, ...] = ()
    pytest: bool = False


Source = HelmSource | KustomizeSource | ManifestsSource | JobSource


@dataclass(frozen=True, slots=True)
class Expose:
    """A Service that is to be reached at the environment's host."""

    service: str
    port: int | str
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the application, deployed after what it ``needs``; ``timeout`` is seconds."""

    name: str
    type: str
    source: Source
    needs: tuple[str, ...] = ()
    timeout: float = 300.0
    images: Mapping[str, str] = field(default_factory=dict)
    expose: Expose | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A Job or a command that says whether what is deployed is good; ``timeout`` is seconds.

    Its numbers are compared with a baseline of the same ``definition`` only; ``runs`` is how often
    it is run for them, ``metrics`` in which form it reports them (``envctl.model.readings``).
    """

    name: str
    source: JobSource | CommandSource
    timeout: float = 120.0
    images: Mapping[str, str] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    definition: int = 1
    runs: int = 1
    metrics: str = TERMINATION

    @property
    def type(self) -> str:
        """Its key among the sources."""
        return "command" if isinstance(self.source, CommandSource) else "check"

    @property
    def needs(self) -> tuple[str, ...]:
        """The checks that must have ended before this one: their numbers are in its gates."""
        return tuple(sorted({check for gate in self.gates for check in gate.checks}))


@dataclass(frozen=True, slots=True)
class Guardrails:
    """What stands in the namespace before any workload does.

    ``confined`` says that the author is not trusted: see ``envctl.model.confined``.
    """

    quota: Mapping[str, str]
    container_defaults: Mapping[str, Mapping[str, str]]
    egress: tuple[str | Mapping[str, Any], ...]
    ingress: tuple[str | Mapping[str, Any], ...]
    security: str = "baseline"
    cluster_scoped: tuple[str, ...] = ()
    confined: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """The whole file. ``root`` is the repository, ``path`` the file itself."""

    path: Path
    root: Path
    project: str
    context: str
    allowed_contexts: tuple[str, ...]
    host: str
    url: str
    ingress_class: str
    ttl: float
    idle: float
    max_age: float
    guardrails: Guardrails
    components: tuple[Component, ...]
    checks: tuple[Check, ...]
    settle: float = WINDOW

    def component(self, name: str) -> Component:
        """The component of that name; raises KeyError."""
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(name)
