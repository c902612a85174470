"""Holds a parsed file against the schema and says what is wrong in the words of the file."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from envctl.config.schema import SCHEMA
from envctl.errors import ConfigError

if TYPE_CHECKING:
    from jsonschema import ValidationError

    from envctl.config.yamlfile import Document, PathKey

_JSON_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def check(document: Document) -> None:
    """Raise ConfigError that lists every violation, each with file and line."""
    from jsonschema import Draft202012Validator

    if not isinstance(document.value, dict):
        raise ConfigError(
            f"{document.path}:1: this is not an envctl.yaml.",
            why=f"It holds {json_type(document.value)} where a mapping is expected.",
            next="Begin with `apiVersion: envctl.dev/v1`, as `envctl schema` prints it.",
        )
    errors = sorted(
        Draft202012Validator(SCHEMA).iter_errors(document.value),
        key=lambda error: document.line(tuple(error.absolute_path)),
    )
    if errors:
        raise problems(document, [_describe(document, error) for error in errors])


def problems(document: Document, found: list[str]) -> ConfigError:
    """One error for all that is wrong with the file, so that it is mended in one go."""
    count = "one mistake" if len(found) == 1 else f"{len(found)} mistakes"
    return ConfigError(
        f"{document.path} has {count}:\n" + "\n".join(f"  {line}" for line in found[:20]),
        why="" if len(found) <= 20 else f"Only the first 20 of {len(found)} are shown.",
        next="Nothing was touched; `envctl schema` prints what is allowed.",
    )


def at(document: Document, path: PathKey, message: str) -> str:
    """``message`` with the file's name and the line of ``path`` in front."""
    return f"{document.path.name}:{document.line(path)}: {message}"


def json_type(value: Any) -> str:
    """The kind of a value in plain words."""
    kinds: list[tuple[type, str]] = [
        (bool, "true or false"),
        (dict, "a mapping"),
        (list, "a list"),
        (str, "text"),
        (int, "a whole number"),
        (float, "a number"),
    ]
    return next((name for kind, name in kinds if isinstance(value, kind)), "nothing")


def _describe(document: Document, error: ValidationError) -> str:
    path: PathKey = tuple(error.absolute_path)
    where = dotted(path) or "the file"
    rule: Any = error.validator_value
    found: Any = error.instance
    if error.validator == "additionalProperties":
        return _unknown_keys(document, error, path)
    if error.validator == "required":
        missing = [key for key in rule if key not in found]
        return at(document, path, f"{where} lacks the key {missing[0]!r}.")
    if error.validator == "type":
        names = [rule] if isinstance(rule, str) else rule
        expected = " or ".join(_JSON_NAMES[name] for name in names)
        return at(document, path, f"{where} is {json_type(found)}, expected {expected}.")
    if error.validator in ("const", "enum"):
        options = rule if isinstance(rule, list) else [rule]
        words = ", ".join(str(option) for option in options)
        return at(document, path, f"{where} is {shown(found)}, expected {words}.")
    return at(document, path, f"{where}: {_plain(error)}.")


def _unknown_keys(document: Document, error: ValidationError, path: PathKey) -> str:
    schema: Any = error.schema
    found: Any = error.instance
    known = list(schema.get("properties", {}))
    extra = next(key for key in found if key not in known)
    near = difflib.get_close_matches(extra, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}."
    return at(
        document, (*path, extra), f"unknown key {extra!r} in {dotted(path) or 'the file'}; {hint}"
    )


def _plain(error: ValidationError) -> str:
    if error.validator == "anyOf":
        return f"{shown(error.instance)} is none of what is allowed here"
    if error.validator == "minLength":
        return "it is empty"
    if error.validator in ("minItems", "maxItems"):
        word = "fewer" if error.validator == "minItems" else "more"
        return f"it has {word} than {error.validator_value} entries"
    return error.message[:200]


def shown(value: Any) -> str:
    """A value, shortened, for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def dotted(path: PathKey) -> str:
    """``components[0].helm.chart`` for a path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
