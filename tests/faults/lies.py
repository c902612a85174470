"""Watches that lie: each is given a watch's lines, and says which of them are passed on."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.proxy import Exchange


class Twice:
    """Each change is told again, and once more after the next one."""

    def __init__(self, _path: str) -> None:
        self.last = b""

    def __call__(self, line: bytes) -> Iterable[bytes]:
        before, self.last = self.last, line
        return [line, line, before] if before else [line, line]


class Missing:
    """Every third change is not told."""

    def __init__(self, _path: str) -> None:
        self.count = 0

    def __call__(self, line: bytes) -> Iterable[bytes]:
        self.count += 1
        return [] if self.count % 3 == 0 else [line]


class Expiring:
    """Told in the middle that what was known is too old, each time after twice as many changes.

    Who asks to go on from there all the same is refused, as by a server that has forgotten it.
    """

    opened: ClassVar[Counter[str]] = Counter()

    def __init__(self, path: str) -> None:
        self.left = 2 ** self.opened[path]
        self.opened[path] += 1

    def __call__(self, line: bytes) -> Iterable[bytes]:
        self.left -= 1
        return [line, GONE] if self.left == 0 else [line]

    @classmethod
    def refuses(cls, exchange: Exchange) -> bool:
        """Whether a watch is to go on where one before it was told that it cannot."""
        return cls.opened[exchange.path] > 0 and "resourceVersion" in exchange.request.query


_EXPIRED = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410,
            "reason": "Expired", "message": "too old resource version"}  # fmt: skip
GONE = json.dumps({"type": "ERROR", "object": _EXPIRED}).encode() + b"\n"
