"""The far server: never nearer than it is said to be, and what passes is what was sent."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml

from tests.bench import latency

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRIP = 40


class Echo(socketserver.StreamRequestHandler):
    """Sends back each line."""

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = tmp_path / "kubeconfig"
        address = f"https://127.0.0.1:{server.server_address[1]}"
        path.write_text(yaml.safe_dump({"clusters": [{"cluster": {"server": address}}]}))
        yield path
        server.shutdown()


def test_what_passes_is_late_and_whole(kubeconfig: Path, tmp_path: Path) -> None:
    with latency.far(kubeconfig, tmp_path, TRIP) as far:
        server = urlsplit(yaml.safe_load(far.read_text())["clusters"][0]["cluster"]["server"])
        began = time.monotonic()
        with socket.create_connection((server.hostname, server.port)) as connection:
            connection.sendall(b"one\n")
            assert connection.recv(16) == b"one\n"
            assert time.monotonic() - began >= 2 * TRIP / 1000, "the handshake, and the answer"
            began = time.monotonic()
            text = b"x" * 2_000_000 + b"\n"
            threading.Thread(target=connection.sendall, args=(text,)).start()
            found = b""
            while len(found) < len(text):
                found += connection.recv(65536)
            assert found == text
            assert time.monotonic() - began >= TRIP / 1000


def test_what_passes_is_counted_in_both_directions(kubeconfig: Path, tmp_path: Path) -> None:
    with latency.through(kubeconfig, tmp_path, 0) as (path, proxy):
        server = urlsplit(yaml.safe_load(path.read_text())["clusters"][0]["cluster"]["server"])
        with socket.create_connection((server.hostname, server.port)) as connection:
            connection.sendall(b"12345\n")
            assert connection.recv(16) == b"12345\n"
        assert proxy.passed == 12


def test_what_is_near_is_not_led_through_anything(kubeconfig: Path, tmp_path: Path) -> None:
    with latency.far(kubeconfig, tmp_path, 0) as near:
        assert near == kubeconfig
