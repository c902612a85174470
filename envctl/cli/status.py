"""``envctl status``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

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


def status(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    output: OutputOption = None,
) -> None:
    """Show what an environment consists of, what is not ready and why, and what it uses.

    Ends with 0 if the environment exists, ready or not; the JSON says how each component is.

    Example: envctl status --project shop --name mr-12-fix-cart
    """
    options = Options("status", file, context, project, name, output)

    async def verb(out: Output) -> int:
        from envctl.cli.wiring import looking
        from envctl.output.status import status_lines
        from envctl.workflow.status import status as look

        async with looking(options, out) as found:
            result = await look(found.world, found.environment, found.target.ingress)
        lines = status_lines(result, out.symbols, out.width, dt.datetime.now(dt.UTC))
        out.document(result.as_json(), lines)
        return EXIT_OK

    boundary.run(options, verb, quiet=True)
