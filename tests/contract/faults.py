"""The ways in which a forge fails, to be switched on for the requests to come."""

from __future__ import annotations

import enum
import re
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.server import BaseHTTPRequestHandler

HTML = b"<!DOCTYPE html><html><head><title>502</title></head><body>Whoops</body></html>"

EXPIRED = (
    b'{"error":"invalid_token","error_description":"Token is expired. '
    b'You can either do re-authorization or token refresh."}'
)


class Fault(enum.StrEnum):
    """What a client gets instead of the answer."""

    RATE_LIMITED = "429 with Retry-After"
    BAD_GATEWAY = "502 with an HTML page"
    HTML = "200 with an HTML page"
    EMPTY_LIST = "200 with []"
    EMPTY_OBJECT = "200 with {}"
    HALF = "half a page, then the end of the connection"
    CUT_JSON = "half a document as if it were whole"
    RESET = "connection reset"
    SLOW = "the answer comes after `delay` seconds"
    DRIP = "the answer comes byte by byte, `delay` seconds apart"
    EXPIRED = "401, the token has expired"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    SIGN_IN = "redirect to the sign-in page"
    ELSEWHERE = "redirect to another host"
    ERROR = "500"


@dataclass
class Planned:
    """A fault for the next ``times`` requests that match; None is for all of them.

    ``after`` has the request take effect first, so that only its answer is lost.
    """

    fault: Fault
    method: str = ""
    path: str = ""
    times: int | None = 1
    after: bool = False
    delay: float = 1.0
    retry_after: str = "1"
    location: str = "https://elsewhere.invalid/api/v4/projects"
    hits: int = field(default=0)

    def matches(self, method: str, path: str) -> bool:
        """Whether it strikes this request."""
        if self.times is not None and self.hits >= self.times:
            return False
        return self.method in ("", method) and bool(re.search(self.path, path))

    def refuses(self, method: str) -> bool:
        """Whether a write that it strikes does not happen."""
        return method != "GET" and not self.after and self.fault not in (Fault.SLOW, Fault.DRIP)


def strike(planned: Planned, handler: BaseHTTPRequestHandler, answer: bytes) -> None:
    """Answer a request wrongly; ``answer`` is the right one, as JSON."""
    match planned.fault:
        case Fault.HALF:
            send(handler, 200, answer[: len(answer) // 2], length=len(answer))
            handler.close_connection = True
        case Fault.RESET:
            reset(handler)
        case Fault.SLOW:
            time.sleep(planned.delay)
            send(handler, 200, answer)
        case Fault.DRIP:
            send(handler, 200, b"", length=len(answer))
            for byte in answer:
                handler.wfile.write(bytes([byte]))
                time.sleep(planned.delay)
        case _:
            status, content, headers = _said(planned, answer)
            send(handler, status, content, headers)


def _said(planned: Planned, answer: bytes) -> tuple[int, bytes, dict[str, str]]:
    html = {"Content-Type": "text/html; charset=utf-8"}
    said: dict[Fault, Callable[[], tuple[int, bytes, dict[str, str]]]] = {
        Fault.RATE_LIMITED: lambda: (429, b"Retry later\n", {
            "Content-Type": "text/plain", "Retry-After": planned.retry_after}),
        Fault.BAD_GATEWAY: lambda: (502, HTML, html),
        Fault.HTML: lambda: (200, HTML, html),
        Fault.EMPTY_LIST: lambda: (200, b"[]", {}),
        Fault.EMPTY_OBJECT: lambda: (200, b"{}", {}),
        Fault.CUT_JSON: lambda: (200, answer[: len(answer) // 2], {}),
        Fault.EXPIRED: lambda: (401, EXPIRED, {}),
        Fault.FORBIDDEN: lambda: (403, b'{"message":"403 Forbidden"}', {}),
        Fault.NOT_FOUND: lambda: (404, b'{"message":"404 Project Not Found"}', {}),
        Fault.SIGN_IN: lambda: (302, b"", html | {"Location": "/users/sign_in"}),
        Fault.ELSEWHERE: lambda: (302, b"", html | {"Location": planned.location}),
        Fault.ERROR: lambda: (500, b'{"message":"500 Internal Server Error"}', {}),
    }  # fmt: skip
    return said[planned.fault]()


def send(
    handler: BaseHTTPRequestHandler,
    status: int,
    content: bytes,
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> None:
    """Send an answer; JSON unless ``headers`` say otherwise."""
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection in the rudest way."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
