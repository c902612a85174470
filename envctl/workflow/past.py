"""``logs`` without ``--follow``: what was said until now, merged by time."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model.containers import started
from envctl.model.logs import AT_ONCE, Stream, split

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from envctl.model.logs import Show, Wanted
    from envctl.model.objects import Obj
    from envctl.ports.cluster import Cluster
    from envctl.workflow.components import Finder
    from envctl.workflow.engine import Engine


@dataclass(frozen=True, slots=True, order=True)
class Stamped:
    """A line with the moment at which the node took it in; moments of one node sort as text."""

    time: str
    stream: int
    line: str


async def streams(pods: list[Obj], wanted: Wanted, finder: Finder) -> list[Stream]:
    """The containers whose logs are asked for."""
    found: list[Stream] = []
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
        component = await finder.component_of(pod)
        if not wanted.takes(component):
            continue
        found += [
            Stream(component, pod["metadata"]["name"], container.name)
            for container in started(pod)
            if container.restarts or not wanted.previous
        ]
    return found


async def show_all(
    run: Engine,
    cluster: Cluster,
    namespace: str,
    wanted: Wanted,
    found: Sequence[Stream],
    show: Show,
) -> bool:
    """Show what was said until now, in the order in which it was said; False if nothing was.

    Beyond ``AT_ONCE`` containers, the order holds among so many at a time.
    """
    said = False
    for begin in range(0, len(found), AT_ONCE):
        group = found[begin : begin + AT_ONCE]
        lines = [_read(cluster, namespace, wanted, s, i) for i, s in enumerate(group)]
        async for stamped in merged(lines):
            said = True
            stream = group[stamped.stream]
            show(stream.said(stamped.line, stamped.time, run.elapsed()))
    return said


async def _read(
    cluster: Cluster, namespace: str, wanted: Wanted, stream: Stream, number: int
) -> AsyncIterator[Stamped]:
    lines = cluster.follow(
        namespace, stream.pod, stream.container, tail=wanted.tail, since=wanted.since,
        follow=False, previous=wanted.previous, timestamps=True,
    )  # fmt: skip
    async for text in lines:
        time, line = split(text)
        yield Stamped(time, number, line)


async def merged(lines: Sequence[AsyncIterator[Stamped]]) -> AsyncIterator[Stamped]:
    """The lines of streams that are each in order, in the order of all; one a stream is held."""
    firsts = await asyncio.gather(*(anext(stream, None) for stream in lines))
    heads = [first for first in firsts if first is not None]
    heapq.heapify(heads)
    while heads:
        head = heads[0]
        yield head
        following = await anext(lines[head.stream], None)
        if following is None:
            heapq.heappop(heads)
        else:
            heapq.heapreplace(heads, following)
