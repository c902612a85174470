"""``envctl url``."""

from __future__ import annotations

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


def url(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    output: OutputOption = None,
) -> None:
    """Print where the environment answers: its URL first, one URL a line.

    Without -o it prints nothing but the URLs, with or without a terminal, for use in scripts.

    Example: curl "$(envctl url --project shop --name mr-12-fix-cart | head -n 1)"
    """
    options = Options("url", file, context, project, name, output)

    async def verb(out: Output) -> int:
        from envctl.cli.wiring import looking
        from envctl.output.options import Mode
        from envctl.output.text import clean
        from envctl.workflow.url import urls_of

        async with looking(options, out) as found:
            urls = await urls_of(found.world.cluster, found.environment, found.target.ingress)
        if output in {Mode.JSON, Mode.LOGFMT}:
            out.document({"url": urls[0], "urls": list(urls)})
        else:
            out.verbatim("".join(f"{clean(one)}\n" for one in urls))
        return EXIT_OK

    boundary.run(options, verb, quiet=True)
