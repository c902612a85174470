"""Checks JSON output against the schemas in docs/schemas, for tests of every tier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import referencing

SCHEMAS = Path(__file__).resolve().parent.parent / "docs" / "schemas"


def check_document(name: str, document: Any) -> None:
    """Assert that a document is what ``docs/schemas/NAME.json`` says, and has no field more.

    The published schemas allow more fields, because later versions may add some; a test must not,
    or a field could be there for years without being documented.
    """
    schemas = {path.stem: _closed(json.loads(path.read_text())) for path in SCHEMAS.glob("*.json")}
    registry: referencing.Registry[Any] = referencing.Registry().with_resources(
        (schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas.values()
    )
    validator = jsonschema.Draft202012Validator(schemas[name], registry=registry)
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
    assert not problems, "\n".join([*problems, json.dumps(document, indent=2)])


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed
