"""What a verb ends with; the same data whether it is shown as a tree, as logfmt or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.model import measures

if TYPE_CHECKING:
    from envctl.model.environment import EnvironmentInfo
    from envctl.model.failure import Failure
    from envctl.model.gates import Verdict
    from envctl.model.measured import Measured
    from envctl.model.measures import Samples


@dataclass(frozen=True, slots=True)
class ComponentResult:
    """How one component ended: ``state`` is an ``Outcome``; ``seconds`` from its start."""

    name: str
    type: str
    state: str
    changed: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended: ``result`` is ``passed``, ``failed`` or ``unchanged``."""

    name: str
    result: str
    seconds: float
    metrics: tuple[tuple[str, float], ...] = ()
    gates: tuple[Verdict, ...] = ()
    samples: Samples = ()
    #: The good runs that its gates were judged beside, oldest first.
    history: tuple[Measured, ...] = ()


@dataclass(frozen=True, slots=True)
class UpResult:
    """What ``up``, ``create``, ``deploy`` and ``test`` end with.

    ``result`` is ``succeeded``, ``unchanged``, ``failed``, ``superseded`` or ``timed-out``.
    """

    environment: EnvironmentInfo
    result: str
    components: tuple[ComponentResult, ...]
    checks: tuple[CheckResult, ...]
    failure: Failure | None
    api_requests: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The public JSON of ``up`` (docs/json.md)."""
        return {
            "environment": self.environment.as_json(),
            "result": self.result,
            "components": [
                {
                    "name": c.name,
                    "type": c.type,
                    "state": c.state,
                    "changed": c.changed,
                    "seconds": round(c.seconds, 3),
                }
                for c in self.components
            ],
            "checks": [
                {
                    "name": c.name,
                    "result": c.result,
                    "seconds": round(c.seconds, 3),
                    "metrics": dict(c.metrics),
                    "samples": measures.dump(c.samples),
                    "gates": [{"check": c.name, **gate.as_json()} for gate in c.gates],
                }
                for c in self.checks
            ],
            "failure": self.failure.as_json() if self.failure else None,
            "apiRequests": self.api_requests,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class StuckObject:
    """An object that a teardown could not get rid of, and who should have removed it."""

    object: str
    finalizers: tuple[str, ...]
    controller: str
    next: str


@dataclass(frozen=True, slots=True)
class DownResult:
    """What ``down`` ends with: ``result`` is ``gone``, ``stuck``, ``unknown`` or ``absent``."""

    environment: EnvironmentInfo
    result: str
    leftovers: tuple[str, ...]
    stuck: tuple[StuckObject, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The public JSON of ``down`` (docs/json.md)."""
        return {
            "environment": self.environment.as_json(),
            "result": self.result,
            "leftovers": list(self.leftovers),
            "stuck": [
                {
                    "object": s.object,
                    "finalizers": list(s.finalizers),
                    "controller": s.controller,
                    "next": s.next,
                }
                for s in self.stuck
            ],
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class LifetimeResult:
    """What ``extend`` and ``keep`` end with.

    ``result`` is ``extended``, ``kept``, ``released`` or ``unchanged``.
    """

    environment: EnvironmentInfo
    result: str

    def as_json(self) -> dict[str, Any]:
        """The public JSON of ``extend`` and ``keep`` (docs/json.md)."""
        return {
            "environment": self.environment.as_json(),
            "result": self.result,
            "expiresAt": self.environment.expires_at,
        }
