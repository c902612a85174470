"""Only the verb that is called is read, and nobody can tell."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from envctl.cli import main
from tests.cluster.node import clean_environment

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


@pytest.mark.parametrize(
    ("redirected", "code", "words"),
    [
        (">/dev/full", 1, "The result could not be written to stdout."),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        (">&- 2>&-", 0, ""),
        ("| head -1", 0, ""),
    ],
)
def test_whatever_becomes_of_its_output(redirected: str, code: int, words: str) -> None:
    command = shlex.quote(str(Path(sys.executable).with_name("envctl")))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} schema {redirected}"],
        env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


LEAVING = """
import atexit, sys
from envctl.cli import main
atexit.register(print, "at exit")
print("printed", end="; ")
main._leave(sys.argv[1] if sys.argv[1].isalpha() else int(sys.argv[1]))
print("came back")
"""


@pytest.mark.parametrize(
    ("code", "said"), [("0", "printed; at exit\n"), ("75", "printed; at exit\n")]
)
def test_the_process_ends_at_once_and_loses_nothing(code: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVING, code],
        env=clean_environment({"PYTHONUNBUFFERED": ""}), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (int(code), said)


def test_a_message_is_left_to_python_to_print() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVING, "why"], capture_output=True, text=True, check=True
    )
    assert "came back" in done.stdout
