"""The harness's own way to the API server: many objects at once, and watches with their times.

A loop in a thread of its own, so that what is seen on a watch is stamped when it arrives, whatever
the harness waits for meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from tests.faults.proxy import Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
    from pathlib import Path

T = TypeVar("T")
Object = dict[str, Any]
#: Requests in flight at once.
AT_ONCE = 64


@dataclass
class Api:
    """A connection with the kubeconfig's credential; open it with ``opened``."""

    upstream: Upstream
    loop: asyncio.AbstractEventLoop
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def do(self, work: Coroutine[Any, Any, T], seconds: float = 3600) -> T:
        """Run something in the loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def call(self, method: str, path: str, body: Any = None, content: str = "") -> Any:
        """One request; None for 404."""
        return self.do(self.upstream.call(method, path, body, content))

    def all(self, asked: Iterable[tuple[str, str, Any]]) -> None:
        """Many requests, ``AT_ONCE`` at once."""

        async def one(method: str, path: str, body: Any) -> None:
            async with self.slots:
                await self.upstream.call(method, path, body)

        async def every() -> None:
            async with asyncio.TaskGroup() as group:
                for method, path, body in asked:
                    group.create_task(one(method, path, body))

        self.do(every())

    async def watched(self, path: str) -> AsyncIterator[tuple[str, Object]]:
        """Type and object of every change of a collection, those that are there first."""
        joint = "&" if "?" in path else "?"
        url = f"{self.upstream.server}{path}{joint}watch=1&allowWatchBookmarks=false"
        session = self.upstream._session(own=False)
        rest = b""
        async with session.get(url) as answer:
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    yield event["type"], event["object"]

    @contextlib.contextmanager
    def following(self, path: str, take: Callable[[str, Object, float], None]) -> Iterator[None]:
        """``take`` gets every change with the moment, on ``time.monotonic``, of its arrival."""

        async def follow() -> None:
            async for kind, found in self.watched(path):
                take(kind, found, time.monotonic())

        task = asyncio.run_coroutine_threadsafe(follow(), self.loop)
        try:
            yield
        finally:
            task.cancel()


@contextlib.contextmanager
def opened(kubeconfig: Path) -> Iterator[Api]:
    """A connection, closed at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    upstream = Upstream(kubeconfig)
    try:
        yield Api(upstream, loop)
    finally:
        asyncio.run_coroutine_threadsafe(upstream.close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
