"""What GitLab does with ``spec: inputs`` when a file is included, for tests of the templates.

The rules are those of GitLab's reference for CI/CD inputs: every input is a string unless ``type``
says otherwise, required unless it has a default, checked against ``options`` and ``regex``, and
put in where ``$[[ inputs.NAME ]]`` stands: a whole scalar keeps the input's type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BLOCK = re.compile(r"\$\[\[\s*inputs\.([\w-]+)\s*\]\]")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "array": list,
}


class BadInput(ValueError):
    """GitLab would not create the pipeline."""


def declared(template: Path) -> dict[str, dict[str, Any]]:
    """The inputs that a template declares, in its order."""
    header, _ = _parts(template)
    inputs: dict[str, dict[str, Any]] = header["spec"]["inputs"]
    return {name: found or {} for name, found in inputs.items()}


def expand(template: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that an inclusion with these inputs adds; raises BadInput."""
    inputs = declared(template)
    if unknown := sorted(set(given) - set(inputs)):
        raise BadInput(f"unknown input: {', '.join(unknown)}")
    values = {name: _value(name, found, given) for name, found in inputs.items()}
    expanded: dict[str, Any] = _filled(_parts(template)[1], values)
    return expanded


def _parts(template: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    header, body = yaml.safe_load_all(template.read_text())
    return header, body


def _value(name: str, found: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    if name not in given and "default" not in found:
        raise BadInput(f"{name}: required, and not given")
    value = given.get(name, found.get("default"))
    kind = found.get("type", "string")
    is_flag_as_number = kind == "number" and isinstance(value, bool)
    if not isinstance(value, _TYPES[kind]) or is_flag_as_number:
        raise BadInput(f"{name}: {value!r} is not a {kind}")
    if "options" in found and value not in found["options"]:
        raise BadInput(f"{name}: {value!r} is none of {found['options']}")
    if "regex" in found and not re.search(found["regex"], value):
        raise BadInput(f"{name}: {value!r} does not match {found['regex']}")
    return value


def _filled(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {_filled(key, values): _filled(item, values) for key, item in node.items()}
    if isinstance(node, list):
        return [_filled(item, values) for item in node]
    if not isinstance(node, str):
        return node
    if whole := _BLOCK.fullmatch(node):
        return _known(whole[1], values)
    return _BLOCK.sub(lambda block: str(_known(block[1], values)), node)


def _known(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise BadInput(f"{name}: used, and not declared")
    return values[name]
