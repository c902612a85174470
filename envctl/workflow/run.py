"""What one run of a verb works with: handed to the steps, never global."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.model.objects import Key, Obj, uid_of
from envctl.model.settling import Settling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.config.load import Loaded
    from envctl.model.environment import Environment
    from envctl.model.gates import Verdict
    from envctl.model.measured import Measured
    from envctl.model.plan import ComponentPlan
    from envctl.model.spec import Spec
    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster
    from envctl.ports.sources import Source
    from envctl.workflow.engine import Engine
    from envctl.workflow.lock import Lock
    from envctl.workflow.store import Store
    from envctl.workflow.tracker import Tracker
    from envctl.workflow.writer import Writer

#: Requests in flight at once, over all steps: fast, and kind to the API server.
CONCURRENCY = 24


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts on a check, and the good runs that it was judged beside."""

    verdicts: tuple[Verdict, ...] = ()
    history: tuple[Measured, ...] = ()


@dataclass(slots=True)
class Run:
    """One run on one environment that is described by an envctl.yaml."""

    loaded: Loaded
    cluster: Cluster
    sources: Mapping[str, Source]
    clock: Clock
    engine: Engine
    writer: Writer
    tracker: Tracker
    store: Store
    lock: Lock | None = None
    namespace: Obj | None = None
    #: What the charts rendered to beside their objects, by component.
    hooks: dict[str, tuple[Obj, ...]] = field(default_factory=dict)
    #: Everything that this run makes or keeps, whichever component it belongs to.
    planned: frozenset[Key] = frozenset()
    settling: Settling = field(default_factory=Settling)
    plans: dict[str, ComponentPlan] = field(default_factory=dict)
    #: What became of the gates of each check that ended.
    judged: dict[str, Judged] = field(default_factory=dict)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENCY))

    @property
    def spec(self) -> Spec:
        """The validated file."""
        return self.loaded.spec

    @property
    def environment(self) -> Environment:
        """The environment that this run works on."""
        return self.loaded.environment

    @property
    def namespace_uid(self) -> str:
        """The UID of the namespace this run decided on, or empty before it is there."""
        return uid_of(self.namespace or {})
