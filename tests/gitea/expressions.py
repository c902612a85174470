"""Evaluates the expressions of workflows: what GitHub documents of them and the templates use.

A context that is not given is an error, as it is where GitHub does not offer it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|\d+|[A-Za-z_][\w-]*|&&|\|\||==|!=|[!().])")
_INSERTION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}


def insert(text: Any, contexts: Mapping[str, Any]) -> str:
    """A value of the workflow as text, with its ``${{ }}`` replaced."""
    return _INSERTION.sub(lambda found: as_text(evaluate(found[1], contexts)), as_text(text))


def holds(condition: Any, contexts: Mapping[str, Any], *, failed: bool = False) -> bool:
    """Whether an ``if`` holds; without a status function it also asks that nothing has failed."""
    text = as_text(condition)
    found = _INSERTION.fullmatch(text.strip())
    value = bool(evaluate(found[1] if found else text, contexts, failed=failed)) if text else True
    asks = re.search(r"\b(always|failure|cancelled|success)\(\)", text)
    return value if asks else value and not failed


def evaluate(text: str, contexts: Mapping[str, Any], *, failed: bool = False) -> Any:
    """The value of one expression; raises ValueError for what it cannot be."""
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise ValueError(f"cannot read {text[position:]!r}")
        tokens.append(found[1])
        position = found.end()
    reader = _Reader(tokens, contexts, failed)
    value = reader.either()
    if reader.tokens:
        raise ValueError(f"{reader.tokens} is left over in {text!r}")
    return value


def as_text(value: Any) -> str:
    """A value as it stands in an environment variable."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class _Reader:
    tokens: list[str]
    contexts: Mapping[str, Any]
    failed: bool

    def either(self) -> Any:
        return self._chain("||", self._both, lambda left: not left)

    def _both(self) -> Any:
        return self._chain("&&", self._comparison, bool)

    def _chain(self, sign: str, part: Callable[[], Any], goes_on: Callable[[Any], bool]) -> Any:
        value = part()
        while self._next(sign):
            other = part()
            value = other if goes_on(value) else value
        return value

    def _comparison(self) -> Any:
        left = self._single()
        for sign in ("==", "!="):
            if self._next(sign):
                return _equal(left, self._single()) == (sign == "==")
        return left

    def _single(self) -> Any:
        if self._next("!"):
            return not self._single()
        if self._next("("):
            value = self.either()
            self._expect(")")
            return value
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit() or token in _WORDS:
            return int(token) if token.isdigit() else _WORDS[token]
        return self._function(token) if self._next("(") else self._path(token)

    def _function(self, name: str) -> bool:
        self._expect(")")
        values = {"always": True, "failure": self.failed, "success": not self.failed}
        return values[name]

    def _path(self, context: str) -> Any:
        if context not in self.contexts:
            raise ValueError(f"the context {context} is not to be had here")
        value = self.contexts[context]
        while self._next("."):
            name = self.tokens.pop(0)
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _next(self, sign: str) -> bool:
        if self.tokens and self.tokens[0] == sign:
            del self.tokens[0]
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._next(sign):
            raise ValueError(f"{sign} is missing before {self.tokens}")


def _equal(left: Any, right: Any) -> bool:
    """GitHub's loose equality: text without case, else as numbers, of which NaN equals nothing."""
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    return bool(_number(left) == _number(right))


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
