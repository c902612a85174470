"""``envctl list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    FileOption,
    Options,
    OutputOption,
    ProjectOption,
)
from envctl.errors import EXIT_OK

if TYPE_CHECKING:
    from envctl.output.sink import Output


def list_(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    output: OutputOption = None,
) -> None:
    """Show every environment of a project, or of the whole cluster.

    Example: envctl list --project shop -o json
    """
    options = Options("list", file, context, project, output=output)

    async def verb(out: Output) -> int:
        from envctl.cli.wiring import connected, settings_of, target_without_file
        from envctl.config import names
        from envctl.output.context import RunContext
        from envctl.workflow.listing import environments

        settings = settings_of(options)
        wanted = settings.project
        if wanted:
            names.check_label("project", wanted, names.MAX_PROJECT)
        out.identify(RunContext(project=wanted, verb="list"))
        async with connected(target_without_file(options, settings), out) as cluster:
            found = await environments(cluster, wanted)
        out.result(found)
        return EXIT_OK

    boundary.run(options, verb, quiet=True)
