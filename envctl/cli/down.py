"""``envctl down``."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    FileOption,
    JunitOption,
    LockTimeoutOption,
    MetricsOption,
    NameOption,
    Options,
    OutputOption,
    ProjectOption,
    PushgatewayOption,
    ReportOption,
)
from envctl.errors import EXIT_OK

if TYPE_CHECKING:
    from envctl.output.sink import Output


def down(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    timeout: Annotated[
        str, typer.Option("--timeout", help="Until everything must be gone.")
    ] = "5m",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Let go what still holds it after a while: take off the finalizers of controllers "
            "that do not act, and end pods on nodes that are silent. Only inside the environment.",
        ),
    ] = False,
    output: OutputOption = None,
    junit: JunitOption = None,
    metrics_file: MetricsOption = None,
    pushgateway: PushgatewayOption = "",
    lock_timeout: LockTimeoutOption = "5m",
    report: ReportOption = True,
) -> None:
    """Take the environment away and prove that it is gone.

    Needs no file and no repository: --context, --project and --name are enough.

    Example: envctl down --context preview --project shop --name mr-12-fix-cart
    """
    options = Options(
        "down", file, context, project, name, output, (), junit, metrics_file, pushgateway,
        lock_timeout, report=report,
    )  # fmt: skip

    async def verb(out: Output) -> int:
        from envctl.cli.reporting import reporting
        from envctl.cli.wiring import wired
        from envctl.config import duration
        from envctl.workflow.down import down as tear_down

        limit = duration.seconds(timeout, what="--timeout")
        async with (
            reporting(options, out) as reporter,
            wired(options, out, needs_file=False) as found,
        ):
            world, environment = found.world, found.environment
            doing = reporter.working(world, environment) if reporter else nullcontext(world)
            async with doing as world:
                result, error = await tear_down(world, environment, limit, force=force)
            if reporter:
                await reporter.down(result, environment.commit)
        out.result(result)
        if error is None:
            return EXIT_OK
        out.error(error)
        return error.exit_code

    boundary.run(options, verb)
