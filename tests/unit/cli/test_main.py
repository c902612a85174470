"""Only the verb that is called is read, and nobody can tell."""

from __future__ import annotations

import pytest
import typer

from envctl.cli import main

EVERY = (*main.VERBS, *main.GROUPS)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["up", "--name", "x"], ("up",)),
        (["local", "start"], ("local",)),
        (["--version"], ()),
        (["--help"], EVERY),
        ([], EVERY),
        (["nope"], EVERY),
        (["--version", "up"], ()),
    ],
)
def test_which_verbs_are_read(arguments: list[str], names: tuple[str, ...]) -> None:
    assert tuple(main._meant(arguments)) == names


def test_a_shell_that_completes_sees_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ENVCTL_COMPLETE", "complete_bash")
    assert tuple(main._meant(["up"])) == EVERY


@pytest.mark.parametrize("name", EVERY)
def test_a_verb_alone_is_what_it_is_among_all(name: str) -> None:
    alone, among = (
        typer.main.get_command(main.application(names)).commands[name]  # type: ignore[attr-defined]
        for names in ((name,), EVERY)
    )
    context = typer.Context(alone)
    assert alone.get_help(context) == among.get_help(context)
    assert [p.opts for p in alone.params] == [p.opts for p in among.params]
