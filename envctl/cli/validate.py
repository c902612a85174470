"""``envctl validate``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    FileOption,
    ImageOption,
    NameOption,
    Options,
    OutputOption,
    ProjectOption,
)
from envctl.errors import EXIT_OK, EXIT_USAGE

if TYPE_CHECKING:
    from envctl.output.lines import Lines
    from envctl.output.sink import Output
    from envctl.workflow.validate import ValidateResult


def validate(
    file: FileOption = DEFAULT_FILE,
    project: ProjectOption = "",
    name: NameOption = "",
    image: ImageOption = [],  # noqa: B006 - typer reads it, nobody changes it
    output: OutputOption = None,
) -> None:
    """Check the file, render every component and check every object, without a cluster.

    Example: envctl validate -o json
    """
    options = Options("validate", file, "", project, name, output, tuple(image))

    async def verb(out: Output) -> int:
        from envctl.adapters.local.lookup import tool_folders
        from envctl.adapters.schemas import KubernetesSchemas
        from envctl.adapters.sources import open_sources
        from envctl.cli.wiring import settings_of
        from envctl.config import ci, load
        from envctl.workflow.validate import validate as check

        context = ci.detect(os.environ, options.file.parent)
        loaded = load.load(load.read(options.file), settings_of(options), context)
        result = await check(loaded, open_sources(None, tool_folders()), KubernetesSchemas())
        out.document(result.as_json(), _lines(result))
        return EXIT_USAGE if result.problems else EXIT_OK

    boundary.run(options, verb)


def _lines(result: ValidateResult) -> Lines:
    from envctl.output.lines import line

    if not result.problems:
        count = sum(result.objects.values())
        return [
            line(f"{len(result.objects)} components and checks, {count} objects: valid", "good")
        ]
    found = []
    for problem in result.problems:
        where = f"{problem.component}: {problem.object}" if problem.object else problem.component
        found.append(line(f"{where}: {problem.message}", "bad"))
    return found
