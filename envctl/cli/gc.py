"""``envctl gc``."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    FileOption,
    MetricsOption,
    Options,
    OutputOption,
    ProjectOption,
    PushgatewayOption,
)
from envctl.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from envctl.output.sink import Output
    from envctl.ports.forge import Forge


def gc(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")
    ] = False,
    max_delete: Annotated[
        int | None,
        typer.Option(
            "--max-delete",
            min=0,
            show_default=False,
            help="Refuse to delete more environments than this; by default 50, or a quarter of "
            "what there is if that is less, but never fewer than 5.",
        ),
    ] = None,
    yes_really: Annotated[
        bool, typer.Option("--yes-really", help="Delete them all the same.")
    ] = False,
    warn_before: Annotated[
        str,
        typer.Option(
            "--warn-before",
            help="Warn on the merge request this long before the end.",
            show_default=False,
        ),
    ] = "",
    timeout: Annotated[
        str, typer.Option("--timeout", help="Until all that is deleted must be gone.")
    ] = "5m",
    output: OutputOption = None,
    metrics_file: MetricsOption = None,
    pushgateway: PushgatewayOption = "",
) -> None:
    """Delete the environments that nobody needs any more, of a project or of the whole cluster.

    Those are the ones past their lifetime, of merge requests that are merged or closed, never
    finished, half deleted. What is in doubt is kept: a forge that does not answer closes nothing.

    Example: envctl gc --context preview --warn-before 24h
    """
    options = Options(
        "gc", file, context, project, output=output, metrics_file=metrics_file,
        pushgateway=pushgateway,
    )  # fmt: skip

    async def verb(out: Output) -> int:
        from envctl.cli.wiring import sweeping
        from envctl.config import duration
        from envctl.workflow import gc as collection
        from envctl.workflow.warning import Warner

        warn = duration.seconds(warn_before, what="--warn-before") if warn_before else 0.0
        limit = duration.seconds(timeout, what="--timeout")
        async with sweeping(options, out) as (world, whose), _forge() as forge:
            wanted = collection.Wanted(whose, max_delete, yes_really, dry_run, warn, limit)
            warner = Warner(world.cluster, forge)
            result, error = await collection.gc(world, forge, wanted, warner)
        out.result(result)
        if error is None:
            return EXIT_OK
        out.error(error)
        return error.exit_code

    boundary.run(options, verb)


@asynccontextmanager
async def _forge() -> AsyncIterator[Forge | None]:
    """The forge that the variables name, where they name one."""
    from envctl.cli.wiring import forge_of
    from envctl.config import ci

    forge = forge_of(ci.detect(os.environ, Path.cwd()))
    try:
        yield forge
    finally:
        if forge is not None:
            await forge.close()
