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


class _Reference(list[str]):
    """``!reference [job, key]``: what another job has there."""


class _Loader(yaml.SafeLoader):
    """YAML as GitLab reads it."""


_Loader.add_constructor(
    "!reference", lambda loader, node: _Reference(loader.construct_sequence(node))
)


class BadInput(ValueError):
    """GitLab would not create the pipeline."""


def declared(template: Path) -> dict[str, dict[str, Any]]:
    """The inputs that a template declares, in its order."""
    header, _ = _parts(template)
    inputs: dict[str, dict[str, Any]] = header["spec"]["inputs"]
    return {name: found or {} for name, found in inputs.items()}


def body(template: Path) -> dict[str, Any]:
    """The template without its header, nothing filled in."""
    return _parts(template)[1]


def expand(template: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that an inclusion with these inputs adds; raises BadInput."""
    inputs = declared(template)
    if unknown := sorted(set(given) - set(inputs)):
        raise BadInput(f"unknown input: {', '.join(unknown)}")
    values = {name: _value(name, found, given) for name, found in inputs.items()}
    expanded: dict[str, Any] = _filled(_parts(template)[1], values)
    resolved: dict[str, Any] = _resolved(expanded, expanded)
    return resolved


def _resolved(node: Any, config: dict[str, Any]) -> Any:
    if isinstance(node, _Reference):
        found: Any = config
        for key in node:
            found = found[key]
        return _resolved(found, config)
    if isinstance(node, dict):
        return {key: _resolved(item, config) for key, item in node.items()}
    if not isinstance(node, list):
        return node
    items = []
    for item in node:
        resolved = _resolved(item, config)
        items += resolved if isinstance(item, _Reference) else [resolved]
    return items


def _parts(template: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    header, rest = yaml.load_all(template.read_text(), Loader=_Loader)
    return header, rest


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
        return type(node)(_filled(item, values) for item in node)
    if not isinstance(node, str):
        return node
    if whole := _BLOCK.fullmatch(node):
        return _known(whole[1], values)
    return _BLOCK.sub(lambda block: str(_known(block[1], values)), node)


def _known(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise BadInput(f"{name}: used, and not declared")
    return values[name]
