"""The command: ``envctl VERB``. What a verb needs is imported when it is called."""

from __future__ import annotations

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

app = typer.Typer(
    name="envctl",
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


app.command()(init.init)
app.command()(validate.validate)
app.command()(plan.plan)
app.command()(up.up)
app.command()(create.create)
app.command()(deploy.deploy)
app.command()(test.test)
app.command()(down.down)
app.command()(status.status)
app.command("list")(listing.list_)
app.command()(extend.extend)
app.command()(keep.keep)
app.command()(gc.gc)
app.command()(logs.logs)
app.command()(url.url)
app.command()(kubeconfig.kubeconfig)
app.command()(doctor.doctor)
app.command()(schema.schema)
app.add_typer(cluster.app, name="cluster")
app.add_typer(local.app, name="local")


def main() -> None:
    """Run the command line; the process ends with one of the documented exit codes."""
    app(prog_name="envctl", args=sys.argv[1:])
