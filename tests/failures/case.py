"""What a broken environment is, as data: its objects, and the sentence that must be said of it.

The objects are plain dictionaries, so that the same case can be applied by envctl as manifests or
as a chart, and by `helm` and `kubectl` for comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.failures.stage import Stage

Object = dict[str, Any]
#: Seconds after the cluster knew a final cause in which it must have been said.
SOON = 5.0


@dataclass(frozen=True, slots=True)
class Part:
    """A component: plain objects, or a chart with templates and values of its own.

    ``templates`` are added to the objects where it is a chart: what only Helm knows, as hooks.
    """

    objects: tuple[Object, ...] = ()
    name: str = "app"
    needs: tuple[str, ...] = ()
    timeout: int = 60
    chart: bool = False
    templates: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    #: Files beside a chart's templates, such as the schema of its values.
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Says:
    """What the screen must contain: the culprit, words of the cause, words of the next action."""

    object: str
    cause: str | tuple[str, ...]
    next: str

    @property
    def causes(self) -> tuple[str, ...]:
        """The words of the cause, each of which must be there."""
        return (self.cause,) if isinstance(self.cause, str) else self.cause


@dataclass(frozen=True, slots=True)
class Twin:
    """A healthy environment that looks like the broken one for a while: it must pass.

    ``done`` is asked when `up` has ended well: whether it was right to say so by then.
    """

    parts: tuple[Part, ...]
    done: Callable[[Stage], bool] | None = None
    before: Callable[[Stage], None] | None = None
    after: Callable[[Stage], None] | None = None
    environment: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A broken environment.

    ``knows`` is a regular expression for the cluster's own record of the cause (a status, a
    condition, an event; as compact JSON): seconds are counted from when the first matching one
    was there; without it, from the start of the command. A ``final`` cause must be said ``within``
    so many seconds; another may heal, and must not be called a failure before its part's timeout.
    """

    name: str
    parts: tuple[Part, ...]
    says: Says
    knows: str = ""
    #: The API server's own words for it, in an answer that it records nowhere: others pass them on.
    told: str = ""
    exit: int = 1
    final: bool = True
    within: float = SOON
    #: What stands under ``environment:`` of envctl.yaml, as a flow mapping.
    environment: str = ""
    #: Variables of the CI, which allow what the file asks for.
    settings: Mapping[str, str] = field(default_factory=dict)
    #: What is run, after `envctl`; its name and its output are added.
    command: tuple[str, ...] = ("up",)
    #: Deployed first, and well; then the parts are what the file says.
    earlier: tuple[Part, ...] = ()
    #: Prepares what the cluster has, and cleans up what lies outside the namespace.
    before: Callable[[Stage], None] | None = None
    after: Callable[[Stage], None] | None = None
    twin: Twin | None = None
    #: Paths below the API server that hold records too, beside pods, events and workloads;
    #: ``{namespace}`` is replaced.
    watches: tuple[str, ...] = ()
    #: A second run cannot say it again: what proves it is gone from the cluster.
    once: bool = False
    #: Too slow for every push: played by `task failures` alone.
    nightly: bool = False

    @property
    def deadline(self) -> int:
        """Seconds after which a cause that may heal is given up: its part's timeout."""
        return max(part.timeout for part in self.parts)
