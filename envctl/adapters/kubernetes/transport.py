"""One connection pool and one credential: requests are sent, counted, retried, translated."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import weakref
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from envctl import __version__
from envctl.adapters.kubernetes import translate
from envctl.adapters.kubernetes.connect import open_client
from envctl.adapters.kubernetes.library import aiohttp
from envctl.adapters.patience import patience
from envctl.adapters.retrying import Transient, retrying
from envctl.model import servers, step
from envctl.ports import attempt, fence, timing

if TYPE_CHECKING:
    from datetime import datetime

    from envctl.adapters.kubernetes.connect import Connection, Target
    from envctl.errors import EnvctlError
    from envctl.model.objects import Obj

#: Seconds one request may take; a server that is silent for longer is tried again.
REQUEST_TIMEOUT = 30.0
#: For what bounds itself.
UNLIMITED = aiohttp.ClientTimeout(total=None)
_READS = ("GET", "HEAD")
AGENT = f"envctl/{__version__}"


class Transport:
    """Plain JSON requests to one API server.

    The library's generated models cost more to import and to fill than the rest of a run;
    everything envctl asks is a question about a mapping.
    """

    def __init__(self, target: Target, agent: str = AGENT) -> None:
        self.target = target
        self.agent = agent
        self.context = target.context
        self.by_verb: Counter[str] = Counter()
        self._told: tuple[datetime, float] | None = None
        self._client: Connection | None = None
        self._broken: list[Connection] = []
        self._answers: weakref.WeakSet[aiohttp.ClientResponse] = weakref.WeakSet()
        self._opening = asyncio.Lock()

    @property
    def requests(self) -> int:
        """How many requests were sent, retries included."""
        return self.by_verb.total()

    def server_time(self) -> datetime | None:
        """The API server's time by the Date of its last answer; None before the first.

        It is never later than the true one: the answer was on its way since, and tells seconds.
        """
        if self._told is None:
            return None
        time_then, then = self._told
        return time_then + timedelta(seconds=time.monotonic() - then)

    async def client(self) -> Connection:
        """The connection, opened by the first who needs it."""
        async with self._opening:
            if self._client is None:
                self._client = await open_client(self.target, self.agent)
            return self._client

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Obj | None = None,
        content: str = "application/json",
        accept: str = "application/json",
        timeout: aiohttp.ClientTimeout = UNLIMITED,
        stream: bool = False,
    ) -> aiohttp.ClientResponse:
        """One request, one answer, not retried; the caller bounds, reads and releases it.

        A ``stream`` is read as it comes, and not compressed: the API server does that to watches
        too since 1.37, and what lies in a compressor's block, here or in a proxy, comes late.
        """
        client = await self.client()
        headers = {"Accept": accept, "Content-Type": content, **client.headers}
        headers |= {"Accept-Encoding": "identity"} if stream else {}
        headers |= await client.authorization()
        url = client.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        if method not in _READS:
            await fence.check()  # the last that is awaited: what follows is the socket
        self.by_verb[method.lower()] += 1
        try:
            answer = await client.rest.request(
                method, url, headers=headers, body=body, _request_timeout=timeout
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise translate.error_of_connection(
                error, client.configuration.host, self.context
            ) from error
        except RuntimeError as error:
            if client is self._client:
                raise
            raise self._was_cut(client) from error
        response: aiohttp.ClientResponse = answer.response
        if client is not self._client:  # after its first bytes, and before anybody read the rest
            response.close()
            raise self._was_cut(client)
        self._answers.add(response)
        self._told = translate.date_of(response.headers, time.monotonic()) or self._told
        return response

    def _was_cut(self, client: Connection) -> EnvctlError:
        why = OSError("the connection was cut, as this process was stopped for a while")
        return translate.error_of_connection(why, client.configuration.host, self.context)

    async def _once(self, method: str, path: str, doing: str, **options: Any) -> Any:
        host = self.context
        try:
            async with patience(attempt.remaining(REQUEST_TIMEOUT)):
                host = (await self.client()).configuration.host
                response = await self.send(method, path, **options)
                data = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise translate.error_of_connection(error, host, self.context) from error
        if method not in _READS:
            for header in response.headers.getall("Warning", ()):
                attempt.report_warning(doing, servers.warning_in(header))
        if response.status >= 300:
            raise translate.error_for(
                response.status, data, response.headers, doing, self.context,
                repeatable=_names_no_version(method, options.get("body")),
            )  # fmt: skip
        return _json(data, doing)

    async def ask(self, method: str, path: str, doing: str, **options: Any) -> Any:
        """The answer to a request, retried by the policy ``api``; ``doing`` is for the error."""

        async def once() -> Any:
            with timing.measured("api", f"{method} {_short(path)}"):
                return await self._once(method, path, doing, **options)

        return await retrying(step.API, once)

    def cut(self) -> None:
        """Break every connection: of what was about to leave, nothing leaves.

        For a process that was stopped and goes on. Between the question whether it may write and
        the write lies a moment, and in this moment it may have been stopped for longer than its
        lock is good for. What breaks is tried again, and the question is asked again.
        """
        client, self._client = self._client, None
        if client is None:
            return
        self._broken.append(client)
        for answer in self._answers:  # aiohttp does not tell those who read from what it aborts
            answer.content.set_exception(aiohttp.ClientConnectionError("it was cut"))
        session = client.rest.pool_manager
        if session is not None and session.connector is not None:
            # Called by a signal's handler, which cannot wait: the first step breaks them all.
            closing = session.connector.close(abort_ssl=True).__await__()
            with contextlib.suppress(StopIteration):
                next(closing)

    async def close(self) -> None:
        """Close the connections."""
        for client in (*self._broken, *([self._client] if self._client else [])):
            await client.close()


def _short(path: str) -> str:
    """What a path is about, as people say it: ``deployments/web``."""
    parts = path.partition("?")[0].strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if len(rest) > 2 and rest[0] == "namespaces":
        rest = rest[2:]
    return "/".join(rest) or path


def _names_no_version(method: str, body: Obj | None) -> bool:
    """Whether the server, and not the request, chose the version that turned out to be old."""
    meta = (body or {}).get("metadata") or {}
    return method in ("GET", "POST", "PATCH") and "resourceVersion" not in meta


def _json(data: bytes, doing: str) -> Any:
    try:
        return json.loads(data) if data else {}
    except (ValueError, RecursionError) as error:
        raise Transient(
            f"The cluster did not {doing}.",
            why="Its answer is not JSON; something in between answered instead.",
            next="Check the proxy and the server address in the kubeconfig.",
        ) from error
