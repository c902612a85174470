"""``envctl schema``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.cli import boundary
from envctl.cli.options import Options
from envctl.errors import EXIT_OK

if TYPE_CHECKING:
    from envctl.output.sink import Output


def schema() -> None:
    """Print the JSON Schema of envctl.yaml, for editors.

    Example: envctl schema > envctl.schema.json
    """

    async def verb(out: Output) -> int:
        from envctl.config.schema import SCHEMA
        from envctl.output.document import to_json

        out.verbatim(to_json(SCHEMA))
        return EXIT_OK

    boundary.run(Options("schema"), verb, quiet=True)
