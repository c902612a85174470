"""What ``up``, ``create``, ``deploy`` and ``test`` have in common: they are stages of one graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.cli import boundary
from envctl.cli.wiring import wired
from envctl.errors import EXIT_OK

if TYPE_CHECKING:
    from envctl.cli.options import Options
    from envctl.output.sink import Output


def run(options: Options, stages: tuple[str, ...]) -> None:
    """Run stages and exit with the code of how they ended."""

    async def verb(out: Output) -> int:
        from envctl.workflow.up import up

        async with wired(options, out, needs_file=True) as found:
            if found.loaded is None:
                raise TypeError
            result, error = await up(found.world, found.loaded, stages)
        out.result(result)
        if error is None:
            return EXIT_OK
        out.error(error)
        return error.exit_code

    boundary.run(options, verb)
