"""The reference of every verb as Markdown, from the command line that runs them."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import typer

from envctl.cli.main import application

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRODUCTION = """\
# Every verb

<!-- Made by `task docs` from envctl/cli: change it there. -->

`envctl VERB --help` prints the same. [Exit codes](exit-codes.md) and [JSON](json.md) have pages of
their own.
"""


def page() -> str:
    """The whole page: the options of envctl itself, then verb by verb."""
    root = typer.main.get_command(application())
    commands = list(_commands("envctl", root))
    listed = [f"- [`{path}`](#{path.replace(' ', '-')}): {_first(c)}" for path, c in commands[1:]]
    return "\n".join([INTRODUCTION, *listed, "", *(_section(path, c) for path, c in commands)])


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _commands(f"{path} {name}", inner)


def _first(command: Any) -> str:
    return _text(command.help).split("\n\n", maxsplit=1)[0].replace("\n", " ")


def _text(help_: str | None) -> str:
    """The help as it is written: typer's own markers are for its formatter only."""
    return inspect.cleandoc((help_ or "").replace("\b", "")).strip()


def _section(path: str, command: Any) -> str:
    context = command.context_class(command)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [f"## {path}", "", _markdown(_text(command.help)), ""]
    if command.epilog:
        lines += [_markdown(_text(command.epilog)), ""]
    lines += ["```text", usage, "```", ""]
    records = [param.get_help_record(context) for param in command.params if not _is_help(param)]
    rows = [f"| `{_cell(names)}` | {_cell(meaning)} |" for names, meaning in filter(None, records)]
    if rows:
        lines += ["| option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _is_help(param: Any) -> bool:
    return "--help" in getattr(param, "opts", ())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _markdown(text: str) -> str:
    """Examples become code: those on a line of their own, and indented blocks of them."""
    text = re.sub(r"^(Examples?): +(\S.*)$", r"\1: `\2`", text, flags=re.MULTILINE)
    return re.sub(
        r"(?:^ {2,}\S.*(?:\n|\Z))+",
        lambda block: "\n```text\n" + inspect.cleandoc(block[0]).rstrip() + "\n```\n",
        text,
        flags=re.MULTILINE,
    )
