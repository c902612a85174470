"""``envctl extend``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    FileOption,
    NameOption,
    Options,
    OutputOption,
    ProjectOption,
)
from envctl.errors import EXIT_OK

if TYPE_CHECKING:
    from envctl.output.sink import Output


def extend(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    for_: Annotated[
        str,
        typer.Option(
            "--for", help="How long from now; its own time to live by default.", show_default=False
        ),
    ] = "",
    output: OutputOption = None,
) -> None:
    """Let the environment live longer, counted from now, never past its greatest age.

    An end that is later already stays. Needs no file, and waits for no run that works on it.

    Example: envctl extend --project shop --name mr-12-fix-cart --for 24h
    """
    options = Options("extend", file, context, project, name, output)

    async def verb(out: Output) -> int:
        from envctl.cli.wiring import looking
        from envctl.config import duration
        from envctl.output.lifetime import lifetime_lines
        from envctl.workflow.lifetime import extend as prolong

        seconds = duration.seconds(for_, what="--for") if for_ else None
        async with looking(options, out) as found:
            result = await prolong(found.world, found.environment, seconds)
        out.document(result.as_json(), lifetime_lines(result, out.symbols, dt.datetime.now(dt.UTC)))
        return EXIT_OK

    boundary.run(options, verb)
