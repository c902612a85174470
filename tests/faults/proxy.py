"""A TLS proxy between clients and the API server, through which a test sees and bends requests.

Every request becomes an ``Exchange`` that a handler of the test's own answers: pass it on, answer
it otherwise, break the connection, change what a watch says. In a test without a loop of its own::

    async def handle(exchange: Exchange) -> web.StreamResponse:
        if exchange.watches:
            return await exchange.deliver(await exchange.ask(), line=lambda line: [line, line])
        return await exchange.pass_on()

    with in_thread(node.kubeconfig, folder, handle) as proxy:
        envctl("up", env={"KUBECONFIG": str(proxy.kubeconfig)})

HTTP/1.1 on both sides: each request is one answer, whatever the client would rather speak.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import yaml
from aiohttp import web

from tests.contract.tls import Certificate, private_ca

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

#: What belongs to one connection and not to the message (RFC 9110, 7.6.1).
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "te", "upgrade"}
#: RST instead of FIN when the socket is closed.
_LINGER = struct.pack("ii", 1, 0)


@dataclass
class Exchange:
    """One request of a client, and what can be done about it. ``ordinal`` counts from 1."""

    proxy: Proxy
    request: web.BaseRequest
    ordinal: int
    body: bytes

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> str:
        """The path without its query."""
        return self.request.path

    @property
    def agent(self) -> str:
        """Who asks: ``envctl``, ``Helm/4.3.1``, ``kubectl/…``."""
        return self.request.headers.get("User-Agent", "")

    @property
    def by_helm(self) -> bool:
        return self.agent.lower().startswith("helm")

    @property
    def watches(self) -> bool:
        return self.request.query.get("watch") in ("1", "true")

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")

    def __str__(self) -> str:
        who = "helm" if self.by_helm else self.agent.split("/")[0]
        return f"{who} {'WATCH' if self.watches else self.method} {self.path}"

    async def ask(self) -> aiohttp.ClientResponse:
        """What the API server answers, its body not yet read."""
        return await self.proxy.upstream.ask(self.request, self.body)

    async def deliver(
        self,
        answer: aiohttp.ClientResponse,
        line: Callable[[bytes], Iterable[bytes]] | None = None,
        body: Callable[[bytes], bytes] | None = None,
    ) -> web.StreamResponse:
        """Send an answer on, as it comes.

        ``line`` turns each line of a watch into those that the client gets; ``body`` the whole
        of an ordinary answer.
        """
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}
        if not self.watches and "follow" not in self.request.query:
            data = await answer.read()
            return web.Response(
                status=answer.status, body=body(data) if body else data, headers=headers
            )
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(self.request)
        try:
            if line is None:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            else:
                async for found in _lines(answer):
                    for changed in line(found):
                        await response.write(changed)
        finally:
            answer.close()
        with contextlib.suppress(ConnectionError):
            await response.write_eof()
        return response

    async def pass_on(self) -> web.StreamResponse:
        """What would happen without the proxy."""
        return await self.deliver(await self.ask())

    def answer(
        self, status: int, reason: str, message: str, headers: dict[str, str] | None = None
    ) -> web.StreamResponse:
        """A Status of the API server's that it never sent."""
        return web.Response(
            status=status,
            headers={"Content-Type": "application/json", **(headers or {})},
            text=json.dumps(
                {
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                    "message": message, "reason": reason, "code": status,
                }
            ),
        )  # fmt: skip

    def reset(self) -> web.StreamResponse:
        """Break the client's connection with a TCP reset."""
        transport = self.request.transport
        sock = transport and transport.get_extra_info("socket")
        if transport is not None and sock is not None:  # else the client has gone by itself
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            transport.abort()
        return web.Response()


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in answer.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


class Upstream:
    """The real API server with the credential of a kubeconfig, shared by many proxies.

    A request that brings a token of its own goes up with that and nothing else.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self.config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
        names = {item["name"]: item["context"] for item in self.config["contexts"]}
        context = names[self.config["current-context"]]
        self.cluster = _named(self.config["clusters"], context["cluster"])["cluster"]
        self.user = _named(self.config["users"], context["user"])["user"]
        self.server: str = self.cluster["server"].rstrip("/")
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def ask(self, request: web.BaseRequest, body: bytes) -> aiohttp.ClientResponse:
        """One request upstream, as the client sent it."""
        # Uncompressed, so that a test can read and bend what passes; the server compresses watches.
        left_out = {*_HOP, "accept-encoding"}
        headers = {k: v for k, v in request.headers.items() if k.lower() not in left_out}
        session = self._session(own="Authorization" in request.headers)
        return await session.request(
            request.method, f"{self.server}{request.raw_path}", headers=headers, data=body or None
        )

    async def call(self, method: str, path: str, body: Any = None, content: str = "") -> Any:
        """A request of the test itself, with the kubeconfig's credential; None for 404."""
        session = self._session(own=False)
        headers = {"Content-Type": content or "application/json", "Accept": "application/json"}
        data = None if body is None else json.dumps(body)
        async with session.request(
            method, f"{self.server}{path}", data=data, headers=headers
        ) as answer:
            found = await answer.json(content_type=None)
            if answer.status == 404:
                return None
            assert answer.status < 300, f"{method} {path}: {found}"
            return found

    def _session(self, *, own: bool) -> aiohttp.ClientSession:
        if own not in self._sessions:
            headers = {}
            if not own and self.user.get("token"):
                headers["Authorization"] = f"Bearer {self.user['token']}"
            self._sessions[own] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls(with_key=not own), limit=0),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                headers=headers,
                skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept"),
            )
        return self._sessions[own]

    def _tls(self, *, with_key: bool) -> ssl.SSLContext:
        authority = base64.b64decode(self.cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        if with_key and self.user.get("client-key-data"):
            with _files(
                self.user["client-certificate-data"], self.user["client-key-data"]
            ) as paths:
                context.load_cert_chain(*paths)
        return context

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()


def _named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if item["name"] == name)


@contextlib.contextmanager
def _files(*contents: str) -> Iterator[list[Path]]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, str(index)) for index in range(len(contents))]
        for path, text in zip(paths, contents, strict=True):
            path.write_bytes(base64.b64decode(text))
        yield paths


@dataclass
class Proxy:
    """One port in front of the API server; ``handle`` may be changed while it runs."""

    upstream: Upstream
    certificate: Certificate
    kubeconfig: Path
    """Where the kubeconfig is written that leads to the proxy; its context keeps its name."""
    handle: Callable[[Exchange], Awaitable[web.StreamResponse]] = Exchange.pass_on
    count: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _runner: web.ServerRunner | None = None

    async def start(self) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate.certificate, self.certificate.key)
        # A client that has gone takes its request with it: else a watch would outlive it.
        server = web.Server(self._answer, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self._write_kubeconfig(self._runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        ordinal = next(self.count)
        exchange = Exchange(self, request, ordinal, await request.read())
        try:
            return await self.handle(exchange)
        except aiohttp.ClientError:  # the real server went away: so do we
            return exchange.reset()

    def _write_kubeconfig(self, port: int) -> None:
        config = self.upstream.config
        authority = base64.b64encode(self.certificate.ca_file.read_bytes()).decode()
        cluster = {
            "server": f"https://127.0.0.1:{port}",
            "certificate-authority-data": authority,
        }
        user = {k: v for k, v in self.upstream.user.items() if k == "token"}
        changed = {
            **config,
            "clusters": [{"name": c["name"], "cluster": cluster} for c in config["clusters"]],
            "users": [{"name": u["name"], "user": user} for u in config["users"]],
        }
        self.kubeconfig.write_text(yaml.safe_dump(changed))


@contextlib.contextmanager
def in_thread(
    kubeconfig: Path,
    folder: Path,
    handle: Callable[[Exchange], Awaitable[web.StreamResponse]] = Exchange.pass_on,
) -> Iterator[Proxy]:
    """A proxy with a loop of its own, for a test that has none."""
    folder.mkdir(parents=True, exist_ok=True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    upstream = Upstream(kubeconfig)
    proxy = Proxy(upstream, private_ca(folder / "tls"), folder / "proxied.kubeconfig", handle)

    async def end() -> None:
        await proxy.stop()
        await upstream.close()

    asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(30)
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
