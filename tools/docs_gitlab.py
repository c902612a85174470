"""The reference of the GitLab templates' inputs as Markdown, from the templates themselves."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

INTRODUCTION = """\
# The GitLab templates and their inputs

<!-- Made by `task docs` from ci-templates/gitlab: change it there. -->

What to include, and what each input means; [how to set it up](ci-gitlab.md) is another page. GitLab
checks inputs when it creates a pipeline: one that is unknown, missing, of the wrong type or outside
of what is allowed ends there, with its name.
"""


def page(folder: Path) -> str:
    """The whole page: template by template, what its first comment says and a table of inputs."""
    templates = sorted(folder.glob("*.yml"))
    return "\n".join([INTRODUCTION, *(_section(path) for path in templates)])


def _section(path: Path) -> str:
    text = path.read_text()
    inputs = next(yaml.safe_load_all(text))["spec"]["inputs"]
    rows = [_row(name, declared) for name, declared in inputs.items()]
    table = ["| input | value | default | meaning |", "|---|---|---|---|", *rows]
    link = f"[`{path.name}`](../ci-templates/gitlab/{path.name})"
    return "\n".join([f"## {path.stem}", "", f"{link}. {_comment(text)}", "", *table, ""])


def _comment(text: str) -> str:
    """What stands above ``spec``: paragraphs of prose, and the indented example as a block."""
    lines = text.split("\nspec:", maxsplit=1)[0].splitlines()
    paragraphs = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines).split("\n\n")
    return "\n\n".join(
        f"```yaml\n{textwrap.dedent(one)}\n```" if one.startswith("  ") else one.replace("\n", " ")
        for one in paragraphs
    )


def _row(name: str, declared: dict[str, Any]) -> str:
    meaning = " ".join(declared["description"].split())
    return f"| `{name}` | {_value(declared)} | {_default(declared)} | {_cell(meaning)} |"


def _value(declared: dict[str, Any]) -> str:
    if "options" in declared:
        return " or ".join(f"`{option}`" for option in declared["options"])
    kind = declared.get("type", "string")
    words = {"string": "text", "array": "list", "boolean": "`true` or `false`", "number": "number"}
    pattern = declared.get("regex")
    return f"{words[kind]}, `{_cell(pattern)}`" if pattern else words[kind]


def _default(declared: dict[str, Any]) -> str:
    if "default" not in declared:
        return "required"
    default = declared["default"]
    if default in ("", []):
        return "empty"
    shown = str(default).lower() if isinstance(default, bool) else default
    return f"`{', '.join(shown) if isinstance(shown, list) else shown}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
