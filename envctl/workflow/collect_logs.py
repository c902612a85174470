"""The logs of an environment's containers for the artifact: all of them, and bounded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.containers import started
from envctl.model.evidence import ALL_LOG_BYTES, LOG_BYTES, LOG_LINES, Tail

if TYPE_CHECKING:
    from envctl.model.failure import Failure
    from envctl.model.objects import Obj
    from envctl.ports.cluster import Cluster
    from envctl.workflow.collect import Masked

AT_ONCE = 4
#: Characters of a line above which the cluster's port may have cut it.
CUT = 8000


@dataclass(slots=True)
class Logs:
    """Reads the logs of pods, those of the failure's culprits first, until the room is used up."""

    cluster: Cluster
    namespace: str
    out: Masked
    gaps: list[str]
    left: int = ALL_LOG_BYTES
    skipped: int = 0

    async def collect(self, pods: list[Obj], failure: Failure | None) -> None:
        """Write a file for each run of each container, init containers and the past included."""
        wanted = [
            (pod["metadata"]["name"], container.name, previous)
            for pod in sorted(pods, key=lambda pod: not _blamed(pod, failure))
            for container in started(pod)
            for previous in ((False, True) if container.restarts else (False,))
        ]
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(pod: str, container: str, *, previous: bool) -> None:
            async with slots:
                await self._one(pod, container, previous=previous)

        await asyncio.gather(*(one(pod, name, previous=before) for pod, name, before in wanted))
        if self.skipped:
            self.gaps.append(f"{self.skipped} logs were left out: there was no room for more.")

    async def _one(self, pod: str, container: str, *, previous: bool) -> None:
        room = min(LOG_BYTES, self.left)
        if room <= 0:
            self.skipped += 1
            return
        self.left -= room  # taken before it is read: the others read at the same time
        tail = Tail(room)
        try:
            async for line in self.cluster.follow(
                self.namespace, pod, container, tail=LOG_LINES, follow=False, previous=previous,
                timestamps=True,
            ):  # fmt: skip
                tail.add(_whole(line, self.out.hidden.longest))
        except EnvctlError as error:
            self.gaps.append(f"The log of {pod}/{container} could not be read: {error.what}")
        finally:  # time may be up: what was read until then is written
            self.left += room - tail.size
            if tail.size:
                name = f"{container}.previous.log" if previous else f"{container}.log"
                self.out.lines(f"logs/{pod}/{name}", tail.lines())


def _whole(line: str, longest: int) -> str:
    """A line that may have been cut, without its end: half a secret would not be recognised."""
    return line[: -min(longest, len(line) // 2) or None] if len(line) >= CUT else line


def _blamed(pod: Obj, failure: Failure | None) -> bool:
    """Whether a pod is, or by its name belongs to, one that is to blame."""
    names = [culprit.object.partition("/")[2] for culprit in failure.culprits] if failure else []
    return any(pod["metadata"]["name"].startswith(name) for name in names)
