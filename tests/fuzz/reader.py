"""Decisions out of bytes: what a fuzzer changes in them changes what a target is given.

The same bytes always give the same decisions, so that a file of a corpus is a test case, for
atheris, which learns from the branches that it reaches, as for hypothesis, which does not.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

T = TypeVar("T")
#: Texts that have meant something to some parser.
WORDS = (
    "", "0", "-1", "1e999", "NaN", "true", "null", "~", "name", "Ready", "True", "False", "Failed",
    "CrashLoopBackOff", "ImagePullBackOff", "not found", "${name}", "$${x}", "${", "${image.api}",
    "../../etc/passwd", "/", "-rf", "a,b=c", "{{ .Values }}", "\n", "\r\n", "\x1b]52;c;aGk=\x07",
    "\x9b2J", "\u202e", "\ufeff", "\ud800", "\x00", "::set-output name=a::b", "##[add-mask]a",
    "section_start:1:x\r\x1b[0K", "@all", "<script>", "](javascript:x)", "|", "`",
    "2024-99-99T09:09:09Z", "2024-01-01T00:00:00Z", "9" * 400,
    "1" * 20, "spec", "metadata", "https://[::1", "http://a:b",
    "é" * 30, "!!python/object:os.system", "&a [*a]", "<<: *a", "1_0:9", "0o7", ".inf", "=",
    "v1", "apps/v1", "Pod", "Job", "envctl.dev/v1", "72h", "-5m", "1" + "0" * 30 + "h", "4Gi", "1e",
)  # fmt: skip
NUMBERS = (0, 1, -1, 3, 127, 255, 2**31, -(2**63), 2**64, 10**400, 0.5, float("inf"), float("nan"))


class Reader:
    """Reads decisions from ``data``; where it ends, every decision is the first of its choices."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        """One byte; 0 at the end."""
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def below(self, bound: int) -> int:
        """A number from 0 up to ``bound``, which it does not reach."""
        value = self.byte()
        return (value if bound <= 256 else value << 8 | self.byte()) % bound

    def choose(self, options: list[T] | tuple[T, ...]) -> T:
        """One of the options."""
        return options[self.below(len(options))]

    def take(self, count: int) -> bytes:
        """The next bytes as they are."""
        found = self.data[self.at : self.at + count]
        self.at += count
        return found

    def rest(self) -> bytes:
        """All bytes that are left."""
        return self.take(len(self.data))

    def text(self) -> str:
        """A word with a history, two of them, or what the bytes say."""
        match self.below(4):
            case 0 | 1:
                return self.choose(WORDS)
            case 2:
                return self.choose(WORDS) + self.choose(WORDS)
            case _:
                return self.take(self.below(24)).decode("utf-8", "surrogateescape")

    def json(self, depth: int = 3) -> Any:
        """Any JSON value, and numbers that JSON cannot write."""
        kind = self.below(8 if depth else 5)
        match kind:
            case 0:
                return None
            case 1:
                return self.text()
            case 2:
                return self.choose(NUMBERS)
            case 3:
                return bool(self.below(2))
            case 4:
                return self.choose(({}, [], "", [None], {"": None}))
            case 5 | 6:
                return {self.text(): self.json(depth - 1) for _ in range(self.below(4))}
            case _:
                return [self.json(depth - 1) for _ in range(self.below(4))]

    def changed(self, sample: T) -> T:
        """A copy of ``sample`` in which up to five values, wherever they are, are others."""
        found = [copy.deepcopy(sample)]
        for _ in range(self.below(6)):
            places = list(_places(found))
            container, key = places[self.below(len(places))]
            match self.below(4):
                case 0:
                    del container[key]
                case 1 if isinstance(container, list):
                    container.insert(key, self.json())
                case 1:
                    container[self.text()] = self.json()
                case _:
                    container[key] = self.json()
            if not found:
                found = [self.json()]
        return found[0]


def _places(value: Any) -> Any:
    """Every place below ``value`` where another value could stand."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from _places(item)
