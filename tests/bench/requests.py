"""How many requests a command makes, by verb and resource: from the API server's audit log.

Its user agent tells helm, kubectl and envctl apart. The log leaves out what asks for nothing of
the cluster's (discovery's documents, /version) and reading a Lease; envctl's own count, the
``apiRequests`` of its JSON, has them.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.cluster.node import Kubectl
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.node import Node

TOOLS = ("envctl", "helm", "kubectl")
#: A request that says how far the server has come with writing down what it has answered.
_MARK = "/api/v1/namespaces/default?mark="
#: A lock is renewed while its run lasts: how often depends on the time alone.
RENEWALS = "envctl update leases"


@dataclass
class Log:
    """The audit log from here on. ``read`` gives what was asked since, once each."""

    node: Node
    _file: int = 0
    _at: int = 0
    _rest: str = ""
    _seen: set[str] = field(default_factory=set)

    @property
    def path(self) -> Path:
        """The file that is being written; rotated ones lie beside it."""
        return self.node.kubeconfig.parent / "audit" / "audit.log"

    @classmethod
    def of(cls, node: Node) -> Log:
        """From its end."""
        log = cls(node)
        there = log.path.stat()
        log._file, log._at = there.st_ino, there.st_size
        return log

    def read(self) -> list[dict[str, Any]]:
        """The events since the last call, in the order in which they were written.

        The server writes one down once it has been answered: what was asked before the mark is
        there when the mark is.
        """
        mark = _MARK + uuid.uuid4().hex
        asked = Kubectl(self.node).run("get", "--raw", mark)
        assert asked.returncode == 0, str(asked)
        found: list[dict[str, Any]] = []

        def marked() -> bool:
            found.extend(self._more())
            return any(event["requestURI"] == mark for event in found)

        until(marked)
        return [event for event in found if not event["requestURI"].startswith(_MARK)]

    def _more(self) -> Iterator[dict[str, Any]]:
        *lines, self._rest = (self._rest + self._text()).split("\n")
        for line in filter(None, lines):
            event = json.loads(line)
            # A watch is told twice: when it begins and when it ends.
            if event["auditID"] not in self._seen:
                self._seen.add(event["auditID"])
                yield event

    def _text(self) -> str:
        """What was written since the last call; of the file before, too, if it was rotated."""
        text = ""
        if self.path.stat().st_ino != self._file:
            before = next(f for f in self.path.parent.iterdir() if f.stat().st_ino == self._file)
            text, self._at, self._file = self._after(before), 0, self.path.stat().st_ino
        return text + self._after(self.path)

    def _after(self, path: Path) -> str:
        with path.open() as file:
            file.seek(self._at)
            text = file.read()
            self._at = file.tell()
        return text


def counted(events: list[dict[str, Any]]) -> Counter[str]:
    """How often who asked what of which resource: ``helm create secrets`` → 2.

    What the cluster's own supervisor asks, and this harness, is left out.
    """
    return Counter(_what(event) for event in events if _who(event) in TOOLS)


def _who(event: dict[str, Any]) -> str:
    return re.split(r"[/ ]", event.get("userAgent", "").lower())[0]


def _what(event: dict[str, Any]) -> str:
    who, about = _who(event), event.get("objectRef")
    if not about:
        return f"{who} {event['verb']} {event['requestURI'].partition('?')[0]}"
    inner = f"/{about['subresource']}" if about.get("subresource") else ""
    return f"{who} {event['verb']} {about.get('resource', '')}{inner}"


def by_verb(counts: Counter[str]) -> dict[str, int]:
    """The same without who and what, as the table has it."""
    found: Counter[str] = Counter()
    for what, number in counts.items():
        if not what.startswith("process "):
            found[what.split(" ")[1]] += number
    return dict(sorted(found.items()))
