"""Asks the ingress controller of the node as a browser would: by host name, on loopback."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.cluster.node import Node


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.text)


class Browser:
    """``Browser(node, url).get("/")``: names below .localhost need no resolver to know them."""

    def __init__(self, node: Node, url: str) -> None:
        self._ingress = urlsplit(node.ingress)
        self._host = urlsplit(url).netloc

    def get(self, path: str) -> Answer:
        """Fetch ``path``."""
        return self._ask("GET", path)

    def post(self, path: str, body: object) -> Answer:
        """Send ``body`` as JSON."""
        return self._ask("POST", path, json.dumps(body))

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        connection = http.client.HTTPConnection(self._ingress.netloc, timeout=15)
        try:
            connection.request(method, path, body=body, headers={"Host": self._host})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode())
        finally:
            connection.close()
