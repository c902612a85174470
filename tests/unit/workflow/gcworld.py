"""A cluster with environments of every sort, a forge that may fail, and gc between them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from envctl.model import environment as env
from envctl.model import lifetime
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.forge import ForgeProject, MergeRequest, MergeRequestState
from envctl.model.lease import DURATION
from envctl.model.objects import LEASE, NAMESPACE, Obj
from envctl.workflow.gc import Wanted, gc
from envctl.workflow.session import World
from envctl.workflow.warning import Warner
from tests.unit.fakes import FakeCluster
from tests.unit.virtual import FakeClock, virtually
from tests.unit.workflow.world import FakeHelm

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.errors import EnvctlError
    from envctl.model.events import Event
    from envctl.model.gcresult import GcResult
    from envctl.ports.forge import Forge

SERVER = "https://git.example.org"
PROJECT = ForgeProject(SERVER, "7")
#: When the virtual loop begins.
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = 3600.0, 86400.0


def ago(seconds: float) -> datetime:
    return START - timedelta(seconds=seconds)


def stamped(seconds_ago: float) -> str:
    return lifetime.stamp(ago(seconds_ago))


@dataclass
class FakeForge:
    """Gives each merge request its answers in order, the last one for ever."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    notes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    broken: EnvctlError | None = None
    kind: str = "GitLab"
    server: str = SERVER

    async def merge_request(self, project: ForgeProject, iid: str) -> MergeRequest:
        assert project == PROJECT
        await asyncio.sleep(0)
        self.asked.append(iid)
        script = self.answers[iid]
        answer = script.pop(0) if len(script) > 1 else script[0]
        self.last[iid] = answer
        if isinstance(answer, BaseException):
            raise answer
        if answer == "hangs":
            await asyncio.sleep(HOUR)
        if isinstance(answer, MergeRequest):
            return answer
        return MergeRequest(iid, MergeRequestState(answer))

    async def put_note(self, project: ForgeProject, iid: str, marker: str, body: str) -> None:
        assert project == PROJECT
        if self.broken:
            raise self.broken
        self.notes.setdefault((iid, marker), []).append(body)

    async def find_note(self, *_: Any) -> str | None:
        raise NotImplementedError

    async def set_status(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError

    async def stop_environment(self, *_: Any) -> bool:
        raise NotImplementedError

    async def close(self) -> None:
        pass


@dataclass
class Sweep:
    """The world of a run of gc; every ``seconds`` is before the run begins."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    forge: FakeForge | None = field(default_factory=FakeForge)
    events: list[Event] = field(default_factory=list)
    alive: set[str] = field(default_factory=set)
    skew: float = 0.0
    runs: int = 0

    def __post_init__(self) -> None:
        self.cluster.put(NAMESPACE, {"metadata": {"name": SYSTEM_NAMESPACE}})
        self.cluster.time = self.true_time

    def true_time(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    def environment(
        self, name: str, *, created: float = 30 * DAY, project: str = "shop", **notes: str
    ) -> Obj:
        """A namespace of envctl's; ``notes`` are annotations without their prefix."""
        labels = {env.MANAGED_BY: "envctl", env.PROJECT: project, env.NAME: name}
        meta = {
            "name": f"{project}-{name}",
            "labels": labels,
            "creationTimestamp": stamped(created),
            "annotations": {f"envctl.dev/{k.replace('_', '-')}": v for k, v in notes.items()},
        }
        return self.cluster.put(NAMESPACE, {"metadata": meta})

    def used(self, name: str, seconds: float, ttl: float = 3 * DAY, **more: Any) -> Obj:
        """One that a run has used, by a clock that is right."""
        notes = {"last_used_at": stamped(seconds), "expires_at": stamped(seconds - ttl),
                 "ttl": f"{ttl:.0f}", "phase": "Ready"}  # fmt: skip
        return self.environment(name, **{**notes, **more})

    def of_merge_request(self, name: str, iid: str, *answers: Any, **more: Any) -> Obj:
        """One that is in its best years, and the forge's answers about its merge request."""
        assert self.forge is not None
        self.forge.answers[iid] = list(answers)
        return self.used(name, HOUR, merge_request=iid, forge_project=str(PROJECT), **more)

    def lock(
        self, namespace: str, *, alive: bool = False, holder: str = "run", **notes: str
    ) -> None:
        """A Lease that somebody holds; one that is alive renews it while gc runs."""
        project, _, name = namespace.partition("-")
        labels = {env.MANAGED_BY: "envctl", env.PROJECT: project, env.NAME: name}
        self.cluster.put(LEASE, {
            "metadata": {"name": namespace, "namespace": SYSTEM_NAMESPACE, "labels": labels,
                         "annotations": {f"envctl.dev/{k.replace('_', '-')}": v
                                         for k, v in notes.items()}},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": int(DURATION),
                     "renewTime": "2026-01-01T00:00:00.000000Z"},
        })  # fmt: skip
        if alive:
            self.alive.add(namespace)

    def there(self, namespace: str) -> bool:
        return ("", "Namespace", "", namespace) in self.cluster.store

    def world(self) -> World:
        self.runs += 1
        sources: dict[str, Any] = {"helm": FakeHelm(self.cluster)}
        clock = FakeClock(self.skew)
        return World(self.cluster, sources, clock, self.events.append, f"gc-{self.runs}")

    def gc(self, **wanted: Any) -> tuple[GcResult, EnvctlError | None]:
        """Run gc in virtual time; those that are alive renew their locks meanwhile."""
        self.cluster.calls.clear()
        return virtually(self._gc(Wanted(**wanted)))

    async def _gc(self, wanted: Wanted) -> tuple[GcResult, EnvctlError | None]:
        renewing = asyncio.create_task(self._renew())
        forge: Forge | None = self.forge
        try:
            return await gc(self.world(), forge, wanted, Warner(self.cluster, forge))
        finally:
            renewing.cancel()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(5)
            for name in self.alive:
                key = ("coordination.k8s.io", "Lease", SYSTEM_NAMESPACE, name)
                lease = self.cluster.store[key]
                assert lease["spec"]["holderIdentity"] == "run", "a living run lost its lock"
                spec = {**lease["spec"], "renewTime": lifetime.stamp(self.true_time())}
                self.cluster.put(LEASE, {**lease, "spec": spec})

    def before_write(self, verb: str, what: str, act: Callable[[], None]) -> None:
        """Do something once, right before a call of this sort."""
        done = False

        def before(called: str, on: str) -> None:
            nonlocal done
            if not done and (called, on) == (verb, what):
                done = True
                act()

        self.cluster.before = before


def names(result: GcResult, word: str) -> list[str]:
    return [outcome.entry.name for outcome in result.of(word)]
