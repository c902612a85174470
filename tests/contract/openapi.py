"""GitLab's published API description, held against what the contract server does.

The description is not part of the repository. It is looked for beside it, or where the variable
``ENVCTL_TEST_GITLAB_OPENAPI`` says; it has no word of notes, so those are not checked by it.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

_NAME = "shared/gitlab/openapi-v2-subset.json"
_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def path() -> Path | None:
    """Where the description is, or None where it is not."""
    beside = Path(__file__).resolve().parents[2].parent / _NAME
    found = Path(os.environ.get("ENVCTL_TEST_GITLAB_OPENAPI") or beside)
    return found if found.is_file() else None


@cache
def _document() -> dict[str, Any]:
    found = path()
    document: dict[str, Any] = json.loads(found.read_text()) if found else {}
    return document


def described(method: str, route: str) -> bool:
    """Whether the description knows the operation; ``route`` is below /api/v4, as a template."""
    return _operation(method, route) is not None


def violations(
    method: str, route: str, query: dict[str, str], body: Any, status: int, answer: Any
) -> list[str]:
    """What an exchange has that GitLab's description does not."""
    operation = _operation(method, route)
    if operation is None:
        return []
    parameters = [_resolved(p) for p in operation.get("parameters", ())]
    known = {p["name"] for p in parameters if p["in"] == "query"}
    where = f"{method} {route}"
    found = [f"{where}: no query parameter {name!r}" for name in query if name not in known]
    schemas = [p["schema"] for p in parameters if p["in"] == "body"]
    if isinstance(body, dict) and body:
        allowed = _resolved(schemas[0]) if schemas else {"type": "object", "properties": {}}
        found += _unlike(body, allowed, f"{where}: body")
        missing = set(allowed.get("required", ())) - set(body)
        found += [f"{where}: body lacks {name!r}" for name in sorted(missing) if status < 300]
    if status < 300:
        successes = [v for k, v in operation["responses"].items() if k.startswith("2")]
        schema = next((s["schema"] for s in successes if "schema" in s), None)
        if schema:
            found += _unlike(answer, schema, f"{where}: answer")
    return found


def _operation(method: str, route: str) -> dict[str, Any] | None:
    """The operation at a template, whatever the names of its parameters are."""
    wanted = re.sub(r"\{\w+\}", "{}", f"/api/v4{route}")
    for template, operations in _document().get("paths", {}).items():
        if re.sub(r"\{\w+\}", "{}", template) == wanted:
            operation: dict[str, Any] | None = operations.get(method.lower())
            return operation
    return None


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    if not reference:
        return schema
    resolved: dict[str, Any] = _document()["definitions"][reference.rpartition("/")[2]]
    return resolved


def _unlike(value: Any, schema: dict[str, Any], where: str) -> list[str]:
    """Fields that the schema does not have, and values of another type; null is always allowed."""
    schema = _resolved(schema)
    kind = schema.get("type", "object" if "properties" in schema else "")
    if value is None or not kind:
        return []
    if kind == "string" and "enum" not in schema:
        return []  # what the description says of every field whose type it does not know
    if isinstance(value, list) and kind == "object":  # and it takes a list for its item
        return [u for item in value for u in _unlike(item, schema, f"{where}[]")]
    boolean = isinstance(value, bool) and kind != "boolean"
    if boolean or not isinstance(value, _TYPES[kind]):
        return [f"{where} is {type(value).__name__}, not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} is {value!r}, not of {schema['enum']}"]
    if kind == "array":
        return [u for item in value for u in _unlike(item, schema.get("items", {}), f"{where}[]")]
    if kind != "object" or "properties" not in schema:
        return []
    found = []
    for name, item in value.items():
        if name in schema["properties"]:
            found += _unlike(item, schema["properties"][name], f"{where}.{name}")
        else:
            found.append(f"{where} has no field {name!r}")
    return found
