"""``envctl logs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    LongFileOption,
    NameOption,
    Options,
    OutputOption,
    ProjectOption,
)
from envctl.errors import EXIT_OK, ConfigError

if TYPE_CHECKING:
    from envctl.model.logs import Wanted
    from envctl.output.sink import Output


def logs(
    file: LongFileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    component: Annotated[
        list[str], typer.Option("--component", "-c", help="Of this component only; repeatable.")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is said from now on.")
    ] = False,
    since: Annotated[
        str, typer.Option("--since", help="No older than this, such as 10m.", show_default=False)
    ] = "",
    tail: Annotated[
        int | None, typer.Option("--tail", min=0, help="So many last lines of each container.")
    ] = None,
    previous: Annotated[
        bool, typer.Option("--previous", help="Of the run before the last restart.")
    ] = False,
    output: OutputOption = None,
) -> None:
    """Show what all pods of the environment say, merged by time, each component in its colour.

    With --follow, pods that come later are followed too, until Ctrl-C or the environment's end.
    What the environment's Secrets hold is left out.

    Example: envctl logs --follow --since 10m --component api
    """
    options = Options("logs", file, context, project, name, output)

    async def verb(out: Output) -> int:
        from envctl.cli.wiring import looking
        from envctl.workflow.logs import prepare

        wanted = _wanted(tuple(component), since, tail, previous=previous, follow=follow)
        async with looking(options, out) as found:
            logs = await prepare(found.world, found.environment, wanted)
            with out.log() as show:
                await logs.run(show)
        return EXIT_OK

    boundary.run(options, verb, quiet=True)


def _wanted(
    components: tuple[str, ...], since: str, tail: int | None, *, previous: bool, follow: bool
) -> Wanted:
    from envctl.config import duration
    from envctl.model.logs import Wanted

    if previous and follow:
        raise ConfigError(
            "--previous and --follow exclude each other.",
            why="A run that has ended says nothing new.",
            next="Leave one of them out.",
        )
    back = duration.seconds(since, what="--since") if since else None
    return Wanted(components, back, tail, previous, follow)
