"""A result as one JSON document, or as logfmt lines; both from the same public data."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from envctl.output.inert import inert_json
from envctl.output.logfmt import logfmt_line

if TYPE_CHECKING:
    from envctl.errors import EnvctlError
    from envctl.output.context import RunContext


def to_json(document: Any) -> str:
    """One document, ended by a newline; keys stay in the order of the contract.

    Everything outside ASCII is escaped, so that no terminal reads a control character out of it and
    no locale fails to print it. JSON has no NaN and no infinity: those become null.
    """
    text = json.dumps(_finite(document), indent=2, ensure_ascii=True, allow_nan=False)
    return inert_json(text) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def error_document(error: EnvctlError) -> dict[str, Any]:
    """What ``-o json`` prints when a verb ended before it had a result."""
    return {
        "result": "error",
        "error": {
            "what": error.what,
            "why": error.why,
            "next": error.next,
            "exitCode": error.exit_code,
        },
        "failure": error.failure.as_json() if error.failure else None,
    }


def to_logfmt(context: RunContext, document: Any, elapsed: float, msg: str = "result") -> list[str]:
    """One line for what the document says itself, and one for each object in a list of it."""
    items = document if isinstance(document, list) else [document]
    lines: list[str] = []
    for item in items:
        own, nested = _split(item)
        if own or not nested:
            lines.append(logfmt_line(context, "info", msg, own, elapsed=elapsed))
        for name, rows in nested:
            for row in rows:
                lines += to_logfmt(context, row, elapsed, msg=name)
    return lines


def brief(document: Any) -> Any:
    """A result as its logfmt lines have it: its failure in one sentence, the evidence apart.

    The log lines and events of the culprits are lines of their own, on stderr; the environment is
    on every line already, but for its phase and URL.
    """
    if not isinstance(document, dict) or "result" not in document:
        return document
    short = dict(document)
    if isinstance(environment := short.pop("environment", None), dict):
        short |= {"phase": environment.get("phase"), "url": environment.get("url")}
    if isinstance(failure := short.pop("failure", None), dict):
        short |= {"verdict": failure.get("verdict"), "next": failure.get("next")}
    return short


def _split(item: Any) -> tuple[dict[str, Any], list[tuple[str, list[Any]]]]:
    """The scalars of an object, flat with dotted keys, and its lists of objects."""
    if not isinstance(item, dict):
        return {"value": item}, []
    own: dict[str, Any] = {}
    nested: list[tuple[str, list[Any]]] = []
    for key, value in item.items():
        if isinstance(value, dict):
            inner, deeper = _split(value)
            own |= {f"{key}.{name}": scalar for name, scalar in inner.items()}
            nested += deeper
        elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
            nested.append((key, value))
        else:
            own[key] = value
    return own, nested
