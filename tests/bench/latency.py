"""A server that is far away: a TCP proxy on loopback that delays what passes, and bends nothing.

Each direction is delayed by half of the round trip. A connection is given what it sends in order
and at its own pace, however much is under way: delay, not a narrow line. A new connection waits one
round trip longer, as the handshake of TCP takes it; those of TLS pass through as bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 256 * 1024
_Queue = asyncio.Queue[tuple[float, bytes]]


class Delayed:
    """The proxy: ``trip`` is the round trip in seconds, ``passed`` the bytes in both directions."""

    def __init__(self, host: str, port: int, trip: float) -> None:
        self._host, self._port, self._trip = host, port, trip
        self._server: asyncio.Server | None = None
        self.passed = 0

    async def start(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Listen no more, and break what is open."""
        if self._server:
            self._server.close()
        passing = asyncio.all_tasks() - {asyncio.current_task()}
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, away = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.close()
            return
        at_once(writer)
        at_once(away)
        # Bytes that come before this moment came before a far server would have accepted.
        accepted = asyncio.get_running_loop().time() + self._trip
        try:
            with contextlib.suppress(asyncio.CancelledError):  # by ``stop``
                await asyncio.gather(
                    self._pass(reader, away, accepted), self._pass(there, writer, 0.0)
                )
        finally:
            writer.close()
            away.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, since: float
    ) -> None:
        queue: _Queue = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(reader, queue, since))
            group.create_task(_write(queue, writer))

    async def _read(self, reader: asyncio.StreamReader, queue: _Queue, since: float) -> None:
        clock = asyncio.get_running_loop().time
        data = b"."
        while data:
            try:
                data = await reader.read(_CHUNK)
            except ConnectionError:
                data = b""
            self.passed += len(data)
            queue.put_nowait((max(clock(), since) + self._trip / 2, data))


async def _write(queue: _Queue, writer: asyncio.StreamWriter) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        due, data = await queue.get()
        if (wait := due - clock()) > 0:
            await asyncio.sleep(wait)
        with contextlib.suppress(ConnectionError):
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()


def at_once(writer: asyncio.StreamWriter) -> None:
    """No waiting for more to send: that would be a delay of its own."""
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextlib.contextmanager
def far(kubeconfig: Path, folder: Path, milliseconds: int) -> Iterator[Path]:
    """A kubeconfig that leads to the same cluster, ``milliseconds`` away; the same one for 0."""
    if not milliseconds:
        yield kubeconfig
        return
    with through(kubeconfig, folder, milliseconds) as (path, _):
        yield path


@contextlib.contextmanager
def through(kubeconfig: Path, folder: Path, milliseconds: int) -> Iterator[tuple[Path, Delayed]]:
    """The same, and the proxy itself, whose ``passed`` is what goes over the line, TLS included."""
    config = yaml.safe_load(kubeconfig.read_text())
    server = urlsplit(config["clusters"][0]["cluster"]["server"])
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    proxy = Delayed(server.hostname or "", server.port or 443, milliseconds / 1000)
    port = asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(10)
    for cluster in config["clusters"]:
        cluster["cluster"]["server"] = f"https://127.0.0.1:{port}"
    path = folder / f"far-{milliseconds}.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    path.chmod(0o600)
    try:
        yield path, proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
