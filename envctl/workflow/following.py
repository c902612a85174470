"""``logs --follow``: every pod as it comes, through restarts and connections that break."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Forbidden, Unavailable
from envctl.model.containers import Container, started
from envctl.model.logs import AT_ONCE, Stream, split
from envctl.model.objects import NAMESPACE, POD, uid_of

if TYPE_CHECKING:
    from envctl.model.environment import Environment
    from envctl.model.logs import Show, Wanted
    from envctl.model.objects import Obj
    from envctl.workflow.components import Finder
    from envctl.workflow.engine import Engine
    from envctl.workflow.session import World

#: Seconds before a log that ended while its container still runs is opened again: the kubelet's
#: word that a container has ended comes a little after the end of its log.
PAUSE = 1.0
#: Seconds by which a reopened log begins before its last line; what was shown is left out.
OVERLAP = 5.0


class _Gone(Exception):
    """The environment is gone, and with it all that could be followed."""


@dataclass(slots=True)
class _Pod:
    """A pod as it was seen last; ``changed`` is set by every change of it."""

    obj: Obj
    component: str
    old: bool
    gone: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    followed: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])

    def container(self, name: str) -> Container | None:
        found = [container for container in started(self.obj) if container.name == name]
        return found[0] if found else None


@dataclass(slots=True)
class Follower:
    """Follows the containers of one environment."""

    world: World
    environment: Environment
    wanted: Wanted
    finder: Finder
    engine: Engine
    show: Show
    _pods: dict[str, _Pod] = field(default_factory=dict)
    _open: int = 0
    _told: bool = False

    async def run(self, pods: list[Obj]) -> None:
        """Follow until the environment is gone, or for ever; ``pods`` are there already."""
        try:
            async with asyncio.TaskGroup() as group:
                for pod in pods:
                    await self._see(group, pod, old=True)
                group.create_task(self._until_gone())
                async for change in self.world.cluster.watch(POD, self.environment.namespace):
                    if change.type == "DELETED":
                        self._drop(change.object)
                    elif change.type != "RESYNC":
                        await self._see(group, change.object, old=False)
        except* _Gone:
            self.engine.note("info", f"{self.environment.name} is gone")

    async def _until_gone(self) -> None:
        name = self.environment.namespace
        try:
            async for change in self.world.cluster.watch(NAMESPACE, "", name):
                if change.type == "DELETED":
                    raise _Gone
        except Forbidden:  # a credential for this namespace alone: then Ctrl-C ends it
            return

    async def _see(self, group: asyncio.TaskGroup, obj: Obj, *, old: bool) -> None:
        uid = uid_of(obj)
        pod = self._pods.get(uid)
        if pod is None:
            obj.setdefault("kind", POD.kind)
            component = await self.finder.component_of(obj)
            if not self.wanted.takes(component):
                return
            pod = self._pods[uid] = _Pod(obj, component, old)
        pod.obj = obj
        pod.changed.set()
        for container in started(obj):
            if container.name not in pod.followed and self._room():
                pod.followed.add(container.name)
                group.create_task(self._follow(pod, container.name))

    def _drop(self, obj: Obj) -> None:
        pod = self._pods.pop(uid_of(obj), None)
        if pod is not None:
            pod.gone = True
            pod.changed.set()

    def _room(self) -> bool:
        if self._open < AT_ONCE:
            self._open += 1
            return True
        if not self._told:
            self._told = True
            self.engine.note(
                "warning", f"only {AT_ONCE} containers are followed; choose with --component"
            )
        return False

    async def _follow(self, pod: _Pod, name: str) -> None:
        """Every line of a container once, until its pod is gone."""
        reader = _Reader(self, pod, name)
        try:
            while not pod.gone:
                current = pod.container(name)
                await reader.read()
                await _next_run(pod, name, current)
        except EnvctlError as error:  # one log that may not be read does not end the others
            self.engine.note("warning", f"the log of {pod.name} broke off: {error}")
        finally:
            self._open -= 1


@dataclass(slots=True)
class _Reader:
    """Reads one container's log again and again, and shows each line once."""

    follower: Follower
    pod: _Pod
    name: str
    _last: str = ""
    _at: float = 0.0
    _told: bool = False

    async def read(self) -> None:
        """Read until the log ends or breaks off."""
        follower = self.follower
        stream = Stream(self.pod.component, self.pod.name, self.name)
        shown = self._last
        try:
            async for text in follower.world.cluster.follow(
                follower.environment.namespace, stream.pod, stream.container,
                tail=self._tail, since=self._since, timestamps=True,
            ):  # fmt: skip
                time, line = split(text)
                if shown and time <= shown:
                    continue
                if time:
                    self._last, self._at = time, follower.world.clock.monotonic()
                self._told = False
                follower.show(stream.said(line, time, follower.engine.elapsed()))
        except Unavailable as error:
            if not self._told:  # once for each time that it is away
                follower.engine.note("warning", f"the log of {stream.pod} broke off: {error}")
            self._told = True

    @property
    def _tail(self) -> int | None:
        return self.follower.wanted.tail if self.pod.old and not self._last else None

    @property
    def _since(self) -> float | None:
        if self._last:
            return self.follower.world.clock.monotonic() - self._at + OVERLAP
        return self.follower.wanted.since if self.pod.old else None


async def _next_run(pod: _Pod, name: str, before: Container | None) -> None:
    """Until the container runs anew, may have more to say, or its pod is gone."""
    while not pod.gone:
        now = pod.container(name)
        if now is not None and before is not None and now.id != before.id:
            return
        if now is not None and now.running:
            await asyncio.sleep(PAUSE)
            return
        pod.changed.clear()
        await pod.changed.wait()
