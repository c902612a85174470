"""``envctl keep``."""

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
from envctl.errors import EXIT_OK, ConfigError

if TYPE_CHECKING:
    from envctl.model.environment import Environment
    from envctl.model.result import LifetimeResult
    from envctl.output.sink import Output
    from envctl.workflow.session import World


def keep(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    until: Annotated[
        str,
        typer.Option("--until", help="Until this date or time in UTC.", show_default=False),
    ] = "",
    for_: Annotated[
        str, typer.Option("--for", help="For as long from now.", show_default=False)
    ] = "",
    off: Annotated[bool, typer.Option("--off", help="Keep it no longer.")] = False,
    output: OutputOption = None,
) -> None:
    """Keep the environment from `gc`, past its lifetime and past its merge request.

    Without --until and --for it is kept until `envctl keep --off`. `envctl down` still takes it
    away. Needs no file, and waits for no run that works on it.

    Example: envctl keep --project shop --name mr-12-fix-cart --until 2026-12-24
    """
    options = Options("keep", file, context, project, name, output)

    async def verb(out: Output) -> int:
        from envctl.cli.wiring import looking
        from envctl.output.lifetime import lifetime_lines

        wanted = _wanted(until, for_, off=off)
        async with looking(options, out) as found:
            result = await _keep(found.world, found.environment, *wanted, off=off)
        out.document(result.as_json(), lifetime_lines(result, out.symbols, dt.datetime.now(dt.UTC)))
        return EXIT_OK

    boundary.run(options, verb)


def _wanted(until: str, for_: str, *, off: bool) -> tuple[dt.datetime | None, float | None]:
    from envctl.config import duration
    from envctl.config.moment import moment

    if sum(map(bool, (until, for_, off))) > 1:
        raise ConfigError(
            "--until, --for and --off exclude each other.",
            why="Each says something else about how long it is kept.",
            next="Give one of them, or none to keep it without end.",
        )
    return (
        moment(until, what="--until") if until else None,
        duration.seconds(for_, what="--for") if for_ else None,
    )


async def _keep(
    world: World,
    environment: Environment,
    until: dt.datetime | None,
    seconds: float | None,
    *,
    off: bool,
) -> LifetimeResult:
    from envctl.workflow import lifetime

    if off:
        return await lifetime.release(world, environment)
    return await lifetime.keep(world, environment, until, seconds)
