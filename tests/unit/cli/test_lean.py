"""What is read without typer's own conversion is what that would have given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from envctl.cli import lean
from envctl.cli.main import application
from tests.cluster.node import clean_environment

SAID = ["", "x", "json", "text", "JSON", "-", "~/a", "a/../b", "5", "-5", "5m", "true", "ü\n"]


def _commands(group: Any, words: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for name, command in group.commands.items():
        inner = (*words, name)
        found += _commands(command, inner) if hasattr(command, "commands") else [(inner, command)]
    return found


COMMANDS = _commands(typer.main.get_command(application()))


def test_all_verbs_are_read_so() -> None:
    assert len(COMMANDS) > 20
    assert [words for words, command in COMMANDS if not isinstance(command, lean.Verb)] == []
    assert isinstance(typer.main.get_command(application()), lean.Verbs)


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=lambda value: str(value)[:30])
def test_every_option_becomes_what_typer_makes_of_it(words: tuple[str, ...], command: Any) -> None:
    context: Any = typer.Context(command)
    for param in command.params:
        many = param.multiple or param.nargs == -1
        values = [param.default, None, *([] if many else [True, False])]
        values += [value for said in SAID for value in ([[said], (said, "y")] if many else [said])]
        annotation = param.type_descriptor.annotation
        for value in values:
            found = lean.plain(annotation, value, many=many)
            if found is not lean._NO and not param.required:
                wanted = param.get_runtime_param().coerce(value, param=param, ctx=context)
                assert found == wanted, (words, param.name, value)
                assert type(found) is type(wanted), (words, param.name, value)


WRONG = [
    (["up", "-o", "yaml"], "'yaml'"), (["logs", "--tail", "x"], "--tail"),
    (["up", "--nmae", "x"], "--nmae"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "word"), WRONG, ids=str)
def test_what_is_wrong_is_told_by_typer(args: list[str], word: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("envctl"), *args],
        env=clean_environment(), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert word in done.stderr
