"""What a Job's pods say is shown, and read no further than that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from envctl.errors import Unavailable
from envctl.model.objects import POD, key_of
from envctl.workflow import tracker
from envctl.workflow.joblogs import MAX_LINES, following
from envctl.workflow.tracker import Tracker
from tests.unit.virtual import virtually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from envctl.model.objects import Obj

JOB: Obj = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "load", "uid": "job"}}


def pod(**meta: Any) -> Obj:
    owner = {"kind": "Job", "name": "load", "uid": "job"}
    state = {"name": "main", "state": {"running": {}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "load-1", "uid": "pod", "ownerReferences": [owner], **meta},
        "status": {"containerStatuses": [state]},
    }


@dataclass
class Cluster:
    """One container that says ``lines``, then goes on for as long as it runs."""

    lines: int
    breaks: bool = False
    read: int = 0
    open: int = 0
    tails: list[int | None] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def list(self, *_: Any, **__: Any) -> list[Obj]:
        return [{"kind": "Secret", "data": {"password": "aHVudGVyMi1zZWNyZXQ="}}]

    async def follow(
        self, _namespace: str, _pod: str, _container: str, *, tail: int | None = None
    ) -> AsyncIterator[str]:
        self.tails.append(tail)
        self.open += 1
        try:
            for number in range(max(0, self.lines - (tail or self.lines)), self.lines):
                self.read += 1
                yield f"line {number} with hunter2-secret"
            if self.breaks:
                raise Unavailable("The connection broke.")
            await self.ended.wait()
        finally:
            self.open -= 1


@dataclass
class Followed:
    """A Job that is followed until its end."""

    cluster: Cluster
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    over: bool = False
    reading: int = 0
    """How many were reading its log after a minute."""
    heard: list[str] = field(default_factory=list)
    """What was known of it before it was over."""
    tracker: Tracker = field(init=False)

    def __post_init__(self) -> None:
        self.tracker = Tracker(self.cluster, "ns")  # type: ignore[arg-type]

    async def run(self, *, ends_as: Obj) -> None:
        """Its pod runs for a minute, then is seen as ``ends_as``."""
        run: Any = SimpleNamespace(
            tracker=self.tracker, cluster=self.cluster, environment=SimpleNamespace(namespace="ns")
        )
        context: Any = SimpleNamespace(
            line=lambda _pod, _container, line: self.shown.append(line),
            note=lambda _level, text: self.notes.append(text),
        )
        self.tracker.put(pod())
        keys = [key_of(JOB)]
        async with following(run, context, keys, lambda: {"job"}, lambda: self.over):
            await asyncio.sleep(60)
            self.reading = self.cluster.open
            self.tracker._see(POD, "MODIFIED", ends_as)
            await asyncio.sleep(1)
            self.heard = list(self.tracker.said["job"])
            self.over = True
            self.cluster.ended.set()


def test_a_job_is_shown_to_its_end() -> None:
    followed = Followed(Cluster(MAX_LINES))
    virtually(followed.run(ends_as=pod()))
    assert len(followed.shown) == MAX_LINES
    assert followed.cluster.tails == [None]
    assert followed.reading == 1
    assert followed.notes == []
    assert followed.shown[-1] == f"line {MAX_LINES - 1} with ***"


def test_of_a_pod_that_shouts_no_more_is_read_than_is_shown() -> None:
    followed = Followed(Cluster(50 * MAX_LINES))
    virtually(followed.run(ends_as=pod()))
    assert len(followed.shown) == MAX_LINES
    assert followed.cluster.read == MAX_LINES + 1 + tracker.MAX_LINES
    assert followed.notes == [
        f"only {MAX_LINES} lines of load-1 are shown: see the others with envctl logs"
    ]


LAST = f"line {3 * MAX_LINES - 1} with hunter2-secret"


def test_a_pod_that_is_deleted_is_read_to_its_end_before_it_is_gone() -> None:
    followed = Followed(Cluster(3 * MAX_LINES))
    virtually(followed.run(ends_as=pod(deletionTimestamp="2026-01-01T00:00:00Z")))
    assert followed.reading == 0
    assert len(followed.heard) == tracker.MAX_LINES
    assert followed.heard[-1] == LAST


def test_the_end_of_a_job_that_is_over_is_read() -> None:
    followed = Followed(Cluster(3 * MAX_LINES))
    virtually(followed.run(ends_as=pod()))
    assert LAST not in followed.heard
    assert followed.tracker.said["job"][-1] == LAST


def test_a_log_that_breaks_off_is_said_and_no_failure() -> None:
    followed = Followed(Cluster(3, breaks=True))
    virtually(followed.run(ends_as=pod()))
    assert len(followed.shown) == 3
    assert followed.notes == ["the log of load-1 broke off: The connection broke."]
