"""python-gitlab over our own channel: a call of the library in a thread, its requests in the loop.

The library is synchronous. Its calls run in a few threads, and each request is handed back to the
event loop and waited for: so TLS, timeouts and deadlines are those of the channel, and a call that
is cancelled takes its request with it instead of leaving a thread behind.
"""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from envctl.adapters.forge import answers

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from envctl.adapters.forge.answers import Asked
    from envctl.adapters.forge.channel import Channel

T = TypeVar("T")
#: Calls at once. Not the loop's own threads: it looks up host names in those.
THREADS = 8


@dataclass(eq=False, slots=True)
class _Call:
    """A call of the library: what it is for, and the request that it waits for."""

    asked: Asked
    loop: asyncio.AbstractEventLoop
    abandoned: bool = False
    waiting: Future[httpx.Response] | None = None
    lock: Lock = field(default_factory=Lock)

    def send(self, channel: Channel, *request: Any, **options: Any) -> httpx.Response:
        """In the thread: have the loop send the request, and wait."""
        with self.lock:
            if self.abandoned:
                raise CancelledError
            sending = channel.send(self.asked, *request, **options)
            self.waiting = asyncio.run_coroutine_threadsafe(sending, self.loop)
        return self.waiting.result()

    def abandon(self) -> None:
        """In the loop: end the request, and let no other begin."""
        with self.lock:
            self.abandoned = True
            if self.waiting is not None:
                self.waiting.cancel()


_current: contextvars.ContextVar[_Call] = contextvars.ContextVar("call of python-gitlab")


class Threads:
    """Runs calls of the library so that they can be cancelled."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="forge")

    async def run(self, asked: Asked, call: Callable[[], T]) -> T:
        """Await ``call()`` in a thread."""
        loop = asyncio.get_running_loop()
        flight = _Call(asked, loop)
        context = contextvars.copy_context()
        context.run(_current.set, flight)
        try:
            return await loop.run_in_executor(self._pool, context.run, call)
        finally:
            flight.abandon()

    def close(self) -> None:
        """Let the threads end; none of them waits for anything by now."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Sent:
    """The body of a request, as python-gitlab asks for it."""

    json: Any
    data: None = None
    content_type: str = "application/json"


class _Answer:
    """An answer in the library's protocol; httpx' own does for the rest."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status_code = response.status_code
        self.headers = response.headers
        self.content = response.content
        self.reason = response.reason_phrase

    def json(self) -> Any:
        return self.response.json()


class HttpxBackend:
    """What ``Gitlab(backend=…)`` makes: it sends through the channel that it was given."""

    def __init__(self, channel: Channel) -> None:
        self.client = channel

    @staticmethod
    def prepare_send_data(files: Any = None, post_data: Any = None, raw: bool = False) -> _Sent:
        """JSON is all that is sent."""
        if files or raw:
            raise TypeError("Only JSON is sent to the forge.")
        return _Sent(post_data)

    def http_request(
        self,
        method: str,
        url: str,
        json: Any = None,
        params: dict[str, Any] | None = None,
        **_: Any,
    ) -> _Answer:
        """Send a request; its answer is whole JSON of the right shape, or this raises.

        What the library would decide for itself (timeout, trust, credential) the channel decides.
        """
        call = _current.get()
        # A body goes only with what writes: `{}` is what the library makes of no body.
        body = json if method.lower() in ("post", "put") else None
        response = call.send(self.client, method, url, params=params, body=body)
        # The library takes any JSON for what it asked for; only a list is asked for in pages.
        pages = "per_page" in (params or {}) or "per_page=" in url
        answers.complete(response, call.asked, list if pages else dict)
        return _Answer(response)
