"""The reference of every verb as Markdown, from the command line that runs them."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import typer
from envctl.cli.main import app

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
    root = typer.main.get_command(app)
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
    lines = [f"## {path}", "", _markdown(_text(command.help)), ""]
    if command.epilog:
        lines += [_markdown(_text(command.epilog)), ""]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    words = [path, *(p.make_metavar(_context(command)) for p in arguments)]
    lines += ["```text", " ".join([*words, "[OPTIONS]"] if options else words), "```", ""]
    described = [p for p in arguments if getattr(p, "help", None)]
    if described or options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{p.human_readable_name}` | {_meaning(p)} |" for p in described]
        lines += [f"| {_spelling(p, command)} | {_meaning(p)} |" for p in options]
        lines.append("")
    return "\n".join(lines)


def _context(command: Any) -> Any:
    return command.context_class(command)


def _spelling(option: Any, command: Any) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts + option.secondary_opts, key=len))
    if option.is_flag:
        return names
    return f"{names} `{option.make_metavar(_context(command))}`".replace("|", "\\|")


def _meaning(param: Any) -> str:
    text = " ".join((param.help or "").split()).replace("|", "\\|")
    if param.envvar:
        names = [param.envvar] if isinstance(param.envvar, str) else param.envvar
        text += " Also " + ", ".join(f"`{name}`" for name in names) + "."
    if param.required:
        text += " Required."
    elif param.show_default and not callable(param.default) and _is_worth_saying(param.default):
        text += f" Default: `{getattr(param.default, 'value', param.default)}`."
    return text.strip()


def _is_worth_saying(default: Any) -> bool:
    return not isinstance(default, bool) and default not in (None, "", (), [])


def _markdown(text: str) -> str:
    """Indented examples become fenced blocks."""
    return re.sub(
        r"(?:^ {2,}\S.*(?:\n|\Z))+",
        lambda block: "\n```text\n" + inspect.cleandoc(block[0]).rstrip() + "\n```\n",
        text,
        flags=re.MULTILINE,
    )
