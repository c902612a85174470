"""Every line once: through connections that break, containers that restart, pods that come late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import Unavailable
from envctl.model.environment import COMPONENT, Environment
from envctl.model.events import LogLine, Note
from envctl.model.logs import Wanted
from envctl.model.members import members
from envctl.model.objects import NAMESPACE, Obj, Resource
from envctl.model.record import Record
from envctl.ports.cluster import Change
from envctl.workflow.components import Finder
from envctl.workflow.engine import Engine
from envctl.workflow.following import Follower
from envctl.workflow.session import World
from tests.unit.virtual import FakeClock, virtually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from envctl.model.events import Event

ENVIRONMENT = Environment("shop", "a", "shop-a")
GONE = Change("DELETED", {})


def pod(name: str, run: int = 1, *, running: bool = True, component: str = "web") -> Obj:
    status = {
        "name": "main", "containerID": f"c://{name}/{run}",
        "state": {"running": {}} if running else {"terminated": {}},
    }  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "uid": name, "labels": {COMPONENT: component}},
        "status": {"containerStatuses": [status]},
    }


def stamped(*seconds: int) -> list[str]:
    return [f"2026-01-01T00:00:{second:02}.0Z line {second}" for second in seconds]


@dataclass
class Logs:
    """Answers each opening of a pod's log with the next of its parts."""

    parts: dict[str, list[list[str] | Exception]]
    opened: list[tuple[str, float | None, int | None]] = field(default_factory=list)
    pods: asyncio.Queue[Change] = field(default_factory=asyncio.Queue)
    namespace: asyncio.Queue[Change] = field(default_factory=asyncio.Queue)

    async def watch(self, resource: Resource, *_: Any, **__: Any) -> AsyncIterator[Change]:
        queue = self.namespace if resource == NAMESPACE else self.pods
        while True:
            yield await queue.get()

    async def follow(
        self, namespace: str, name: str, container: str, *, since: Any, tail: Any, **_: Any
    ) -> AsyncIterator[str]:
        assert (namespace, container) == ("shop-a", "main")
        self.opened.append((name, since, tail))
        left = self.parts[name]
        if not left:
            await asyncio.Event().wait()  # it is followed, and nothing more is said
        part = left.pop(0)
        if isinstance(part, Exception):
            raise part
        for text in part:
            yield text


def followed(
    logs: Logs, script: list[tuple[float, Change]], *there: Obj, wanted: Wanted | None = None
) -> tuple[list[LogLine], list[Event]]:
    """Follow while the changes of ``script`` happen at their seconds; then the environment goes."""
    lines: list[LogLine] = []
    events: list[Event] = []

    async def go() -> None:
        world = World(logs, {}, FakeClock(), events.append, "run")  # type: ignore[arg-type]
        finder = Finder(logs, "shop-a", members(Record()))  # type: ignore[arg-type]
        engine = Engine(world.clock, world.emit)
        follower = Follower(
            world, ENVIRONMENT, wanted or Wanted(follow=True), finder, engine, lines.append
        )
        running = asyncio.create_task(follower.run(list(there)))
        for delay, change in script:
            await asyncio.sleep(delay)
            logs.pods.put_nowait(change)
        await asyncio.sleep(10)
        logs.namespace.put_nowait(GONE)
        async with asyncio.timeout(5):
            await running

    virtually(go())
    return lines, events


def said(lines: list[LogLine]) -> list[str]:
    return [line.line for line in lines]


def test_a_connection_that_breaks_is_opened_again_and_no_line_is_shown_twice() -> None:
    logs = Logs({"web-1": [stamped(1, 2, 3), stamped(2, 3, 4), stamped(4, 5)]})
    lines, events = followed(logs, [], pod("web-1"))
    assert said(lines) == ["line 1", "line 2", "line 3", "line 4", "line 5"]
    assert [since for _, since, _ in logs.opened[1:]] == pytest.approx([6.0, 6.0, 6.0])
    assert [e.message for e in events if isinstance(e, Note)] == ["a is gone"]


def test_a_cluster_that_is_away_is_told_once() -> None:
    away = Unavailable("The cluster does not answer.")
    logs = Logs({"web-1": [stamped(1), away, away, away, stamped(1, 2), away, stamped(3)]})
    lines, events = followed(logs, [], pod("web-1"))
    assert said(lines) == ["line 1", "line 2", "line 3"]
    warnings = [e.message for e in events if isinstance(e, Note) and e.level == "warning"]
    assert len(warnings) == 2


def test_a_restart_is_followed() -> None:
    logs = Logs({"web-1": [stamped(1, 2), stamped(10, 11)]})
    ended = Change("MODIFIED", pod("web-1", running=False))
    again = Change("MODIFIED", pod("web-1", run=2))
    lines, _ = followed(logs, [(0.5, ended), (5, again)], pod("web-1"))
    assert said(lines) == ["line 1", "line 2", "line 10", "line 11"]


def test_a_container_that_has_ended_is_read_once() -> None:
    logs = Logs({"web-1": [stamped(1)]})
    lines, _ = followed(logs, [], pod("web-1", running=False))
    assert said(lines) == ["line 1"]
    assert len(logs.opened) == 1


def test_a_late_pod_is_shown_from_its_beginning() -> None:
    logs = Logs({"web-1": [stamped(1)], "web-2": [stamped(7)]})
    late = Change("ADDED", pod("web-2"))
    wanted = Wanted(since=60, tail=5, follow=True)
    lines, _ = followed(logs, [(2, late)], pod("web-1"), wanted=wanted)
    assert said(lines) == ["line 1", "line 7"]
    assert logs.opened[0] == ("web-1", 60, 5)
    assert ("web-2", None, None) in logs.opened


def test_only_the_wanted_components_are_opened() -> None:
    logs = Logs({"web-1": [stamped(1)], "db-1": [stamped(2)]})
    wanted = Wanted(components=("db",), follow=True)
    lines, _ = followed(logs, [], pod("web-1"), pod("db-1", component="db"), wanted=wanted)
    assert [(line.component, line.line) for line in lines] == [("db", "line 2")]
    assert {name for name, _, _ in logs.opened} == {"db-1"}


def test_a_pod_that_goes_is_let_go() -> None:
    logs = Logs({"web-1": [stamped(1), stamped(2)]})
    gone = Change("DELETED", pod("web-1", running=False))
    lines, _ = followed(logs, [(0.2, gone)], pod("web-1", running=False))
    assert said(lines) == ["line 1"]


def test_what_the_kubelet_says_instead_of_a_log_is_shown() -> None:
    logs = Logs({"web-1": [["unable to retrieve container logs"]]})
    lines, _ = followed(logs, [], pod("web-1", running=False))
    assert said(lines) == ["unable to retrieve container logs"]
    assert lines[0].time == ""
