"""What `init` found in a repository, guessed, and left out; and its public JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envctl.model.objects import Obj


@dataclass(frozen=True, slots=True)
class Part:
    """A component or check as it will be written. ``path`` is a chart, folder or file.

    ``objects`` are those that can be read without rendering; a chart's cannot.
    """

    name: str
    type: str
    path: str
    why: str
    files: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    expose: tuple[str, int | str] | None = None
    objects: tuple[Obj, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """One entry of the public JSON (docs/json.md)."""
        return {
            "name": self.name,
            "type": self.type,
            "path": self.path,
            "needs": list(self.needs),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that is there and is not deployed, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that one look at a repository gave."""

    project: str
    components: tuple[Part, ...] = ()
    checks: tuple[Part, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What the CI needs: a file to write, or lines to add to one that is there.

    ``beside`` are further files that are written with it.
    """

    system: str = "none"
    file: str = ""
    text: str = ""
    add: bool = False
    beside: tuple[Pipeline, ...] = ()


@dataclass(frozen=True, slots=True)
class InitResult:
    """What `init` did; ``written`` is empty where the configuration was there already."""

    file: str
    findings: Findings
    pipeline: Pipeline = field(default_factory=Pipeline)
    written: tuple[str, ...] = ()
    exists: bool = False

    def as_json(self) -> dict[str, Any]:
        """The public JSON of ``init`` (docs/json.md)."""
        found = self.findings
        add = self.pipeline.text if self.pipeline.add else ""
        return {
            "file": self.file,
            "exists": self.exists,
            "written": list(self.written),
            "project": found.project,
            "components": [part.as_json() for part in found.components],
            "checks": [part.as_json() for part in found.checks],
            "skipped": [{"path": s.path, "why": s.why} for s in found.skipped],
            "notes": list(found.notes),
            "ci": {"system": self.pipeline.system, "file": self.pipeline.file, "add": add},
        }
