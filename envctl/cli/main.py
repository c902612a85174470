"""The command: ``envctl VERB``. What a verb needs is imported when it is called."""

from __future__ import annotations

import atexit
import gc as garbage
import os
import sys
from typing import Annotated

import typer

from envctl import __version__
from envctl.cli import (
    cluster,
    create,
    deploy,
    doctor,
    down,
    extend,
    gc,
    init,
    keep,
    kubeconfig,
    local,
    logs,
    plan,
    schema,
    status,
    test,
    up,
    url,
    validate,
)
from envctl.cli import list as listing
from envctl.cli.lean import Verb, Verbs

#: Python looks for garbage after each 700 objects that it makes, and again through all of them: a
#: tenth of a short run. What a run makes it mostly keeps; this is a few megabytes.
COLLECT = (50_000, 20, 20)

app = typer.Typer(
    name="envctl",
    cls=Verbs,
    help="Idempotent create, deploy, test and teardown of ephemeral environments on Kubernetes.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"envctl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


app.command(cls=Verb)(init.init)
app.command(cls=Verb)(validate.validate)
app.command(cls=Verb)(plan.plan)
app.command(cls=Verb)(up.up)
app.command(cls=Verb)(create.create)
app.command(cls=Verb)(deploy.deploy)
app.command(cls=Verb)(test.test)
app.command(cls=Verb)(down.down)
app.command(cls=Verb)(status.status)
app.command("list", cls=Verb)(listing.list_)
app.command(cls=Verb)(extend.extend)
app.command(cls=Verb)(keep.keep)
app.command(cls=Verb)(gc.gc)
app.command(cls=Verb)(logs.logs)
app.command(cls=Verb)(url.url)
app.command(cls=Verb)(kubeconfig.kubeconfig)
app.command(cls=Verb)(doctor.doctor)
app.command(cls=Verb)(schema.schema)
app.add_typer(cluster.app, name="cluster")
app.add_typer(local.app, name="local")


def main() -> None:
    """Run the command line; the process ends with one of the documented exit codes."""
    garbage.set_threshold(*COLLECT)
    try:
        app(prog_name="envctl", args=sys.argv[1:])
    except SystemExit as ended:
        _leave(ended.code)
        raise


def _leave(code: str | int | None) -> None:
    """End the process at once: taking the interpreter apart takes as long as several requests.

    Returns where that would lose something: a message to print, or output that nobody takes.
    """
    if isinstance(code, str):
        return
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # as it is where whoever started envctl closed it
                stream.flush()
    except (OSError, ValueError):
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what Python itself does here
    os._exit(code or 0)
