"""The command: ``envctl VERB``. What a verb needs is imported when it is called."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from envctl import __version__
from envctl.cli.lean import Verb, Verbs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Each a module of this package, in the order of ``--help``; the groups have verbs of their own.
VERBS = (
    "init", "validate", "plan", "up", "create", "deploy", "test", "down", "status", "list",
    "extend", "keep", "gc", "logs", "url", "kubeconfig", "doctor", "schema",
)  # fmt: skip
GROUPS = ("cluster", "local")
#: Python looks for garbage after each 700 objects that it makes, and again through all of them: a
#: tenth of a short run. What a run makes it mostly keeps; this is a few megabytes.
COLLECT = (50_000, 20, 20)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"envctl {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


def application(names: Iterable[str] = (*VERBS, *GROUPS)) -> typer.Typer:
    """The command with these verbs and groups."""
    app = typer.Typer(
        name="envctl",
        cls=Verbs,
        help="Idempotent create, deploy, test and teardown of ephemeral environments on "
        "Kubernetes.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    for name in names:
        module = importlib.import_module(f"envctl.cli.{name}")
        if name in GROUPS:
            app.add_typer(module.app, name=name)
        else:
            app.command(name, cls=Verb)(getattr(module, "list_" if name == "list" else name))
    return app


def _meant(arguments: Sequence[str]) -> Iterable[str]:
    """The verb that is called, as reading the options of all takes longer than most take to run.

    All of them where none is, or an unknown one, or where a shell asks what there is.
    """
    word = arguments[0] if arguments else ""
    if word == "--version":
        return ()
    known = (*VERBS, *GROUPS)
    return (word,) if word in known and "_ENVCTL_COMPLETE" not in os.environ else known


def main() -> None:
    """Run the command line; the process ends with one of the documented exit codes."""
    gc.set_threshold(*COLLECT)
    _open_streams()
    try:
        application(_meant(sys.argv[1:]))(prog_name="envctl", args=sys.argv[1:])
    except SystemExit as ended:
        _leave(ended.code)
        raise


def _open_streams() -> None:
    """Python has none where whoever started it has closed one, as ``>&-`` does: it goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - a device, for good


def _leave(code: str | int | None) -> None:
    """End the process at once: taking the interpreter apart takes as long as several requests.

    Returns where that would lose something: a message to print, or output that nobody takes.
    """
    if isinstance(code, str):
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what Python itself does here, and once
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(code or 0)
