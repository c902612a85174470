"""The reference of envctl.yaml as Markdown, from the schema that validates the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envctl.config.schema import SCHEMA
from envctl.config.substitute import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRODUCTION = """\
# envctl.yaml

<!-- Made by `task docs` from envctl/config/schema.py: change it there. -->

One file at the root of the repository says what an environment consists of. It is read with a safe
YAML loader and validated as a whole: every mistake is reported with its line, what was found and
what was expected. `envctl schema` prints its JSON Schema for editors
([schemas/envctl.json](schemas/envctl.json)); `envctl validate` checks a file without a cluster.

```yaml
{example}```

Relative paths start at the file's folder and stay inside the repository. A duration is a number
with a unit: `90s`, `4m`, `72h`, `14d`.
"""

VARIABLES_INTRODUCTION = """\
## Variables

`${{…}}` is replaced in every text after the file was parsed, from this set and no other; `$${{…}}`
stands for a literal `${{…}}`. There is no other templating.

| variable | meaning |
|---|---|
{rows}
"""


def page(example: str) -> str:
    """The whole page; ``example`` is the text of an envctl.yaml that shows most of it."""
    rows = "\n".join(f"| `${{{name}}}` | {meaning} |" for name, meaning in VARIABLES.items())
    sections = [_section(path, schema) for path, schema in _objects("", SCHEMA)]
    return "\n".join(
        [
            INTRODUCTION.format(example=example),
            *sections,
            VARIABLES_INTRODUCTION.format(rows=rows),
        ]
    )


def _objects(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the file that has keys of its own, outermost first."""
    yield path, schema
    for key, value in schema["properties"].items():
        inner, suffix = (value["items"], "[]") if value.get("type") == "array" else (value, "")
        if "properties" in inner:
            yield from _objects(f"{path}.{key}{suffix}".lstrip("."), inner)


def _section(path: str, schema: dict[str, Any]) -> str:
    heading = f"## `{path}`" if path else "## The file"
    lines = [heading, "", schema["description"], "", "| key | value | default | meaning |"]
    lines.append("|---|---|---|---|")
    for key, value in schema["properties"].items():
        default = "required" if key in schema.get("required", ()) else _default(value)
        lines.append(
            f"| `{key}` | {_kind(value)} | {default} | {_cell(_meaning(path, key, value))} |"
        )
    return "\n".join(lines) + "\n"


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    if default is None:
        return ""
    return f"`{', '.join(default) if isinstance(default, list) else default}`"


def _meaning(path: str, key: str, schema: dict[str, Any]) -> str:
    text: str = schema.get("description", "")
    inner = schema.get("items", schema)
    if "properties" in inner:
        target = f"{path}.{key}".lstrip(".") + ("[]" if schema.get("type") == "array" else "")
        anchor = "".join(c for c in target.lower() if c.isalnum() or c in "-_ ")
        text += f" [Its keys](#{anchor})."
    return text


def _kind(schema: dict[str, Any]) -> str:
    """What may be written there, in words."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    kind = schema["type"]
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    if isinstance(kind, list):
        return " or ".join(_word(one) for one in kind)
    return _word(kind)


def _word(kind: str) -> str:
    return {"string": "text", "integer": "number", "object": "mapping"}.get(kind, kind)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
