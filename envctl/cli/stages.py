"""What ``up``, ``create``, ``deploy`` and ``test`` have in common: they are stages of one graph."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    AnnotationsOption,
    ContextOption,
    DiagnosisOption,
    DotenvOption,
    FileOption,
    ImageOption,
    JunitOption,
    LockTimeoutOption,
    MetricsOption,
    NameOption,
    Options,
    OutputOption,
    PlotOption,
    ProjectOption,
    PushgatewayOption,
    ReportOption,
    TimingsOption,
    TraceOption,
)
from envctl.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.output.sink import Output


def command(verb: str, stages: tuple[str, ...], text: str) -> Callable[..., None]:
    """The command of a verb that runs these stages; ``text`` is its help."""

    def run(
        file: FileOption = DEFAULT_FILE,
        context: ContextOption = "",
        project: ProjectOption = "",
        name: NameOption = "",
        image: ImageOption = [],  # noqa: B006 - typer reads it, nobody changes it
        output: OutputOption = None,
        junit: JunitOption = None,
        metrics_file: MetricsOption = None,
        dotenv: DotenvOption = None,
        annotations: AnnotationsOption = None,
        diagnosis: DiagnosisOption = None,
        pushgateway: PushgatewayOption = "",
        lock_timeout: LockTimeoutOption = "5m",
        timeout: Annotated[
            str, typer.Option("--timeout", help="Until everything must have ended; 0 is no limit.")
        ] = "0",
        report: ReportOption = True,
        timings: TimingsOption = False,
        trace: TraceOption = None,
        plot: PlotOption = None,
    ) -> None:
        options = Options(
            verb, file, context, project, name, output, tuple(image), junit, metrics_file,
            pushgateway, lock_timeout, dotenv, annotations, diagnosis, report,
            timings, trace, plot,
        )  # fmt: skip
        _run(options, stages, timeout)

    run.__name__ = verb
    run.__doc__ = text
    return run


def _run(options: Options, stages: tuple[str, ...], timeout: str) -> None:
    """Run stages and exit with the code of how they ended."""

    async def verb(out: Output) -> int:
        from envctl.cli.diagnosis import Diagnosis
        from envctl.cli.reporting import reporting
        from envctl.cli.wiring import wired
        from envctl.config import duration
        from envctl.workflow.up import up

        limit = duration.seconds(timeout, what="--timeout")
        async with (
            reporting(options, out) as reporter,
            wired(options, out, needs_file=True) as found,
        ):
            if found.loaded is None:
                raise TypeError
            world, environment = found.world, found.environment
            doing = reporter.working(world, environment) if reporter else nullcontext(world)
            diagnosis = Diagnosis(options, out, found)
            async with doing as world, diagnosis.last_word():
                result, error = await up(world, found.loaded, stages, limit, diagnosis.plans)
                await diagnosis.collect(error)
            if reporter:
                await reporter.up(world.cluster, result, error, environment.commit)
        out.result(result)
        if error is None:
            return EXIT_OK
        out.error(error)
        return error.exit_code

    boundary.run(options, verb)
