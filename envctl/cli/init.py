"""``envctl init``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envctl.cli import boundary
from envctl.cli.options import DEFAULT_FILE, FileOption, Options, OutputOption, ProjectOption
from envctl.errors import EXIT_OK, ConfigError

if TYPE_CHECKING:
    from envctl.model.pipelines import Wishes
    from envctl.output.sink import Output


#: What stands for itself in YAML, wherever it stands.
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9._/:@+]*[-A-Za-z0-9._/@+])?")


def init(
    file: FileOption = DEFAULT_FILE,
    project: ProjectOption = "",
    context: Annotated[
        str, typer.Option("--context", help="The cluster to write down.", show_default=False)
    ] = "",
    ci: Annotated[str, typer.Option("--ci", help="auto, gitlab, gitea, github or none.")] = "auto",
    image: Annotated[
        str, typer.Option("--image", help="The envctl image of the jobs.", show_default=False)
    ] = "",
    templates: Annotated[
        str,
        typer.Option(
            "--templates", help="The project that has envctl's CI templates.", show_default=False
        ),
    ] = "",
    domain: Annotated[
        str,
        typer.Option(
            "--domain", help="What the hosts of environments are below.", show_default=False
        ),
    ] = "",
    output: OutputOption = None,
) -> None:
    """Look at a repository, and write envctl.yaml and what the pipeline needs.

    Nothing that is there is changed: where the pipeline's file exists, the lines to add are
    printed; where envctl.yaml exists, nothing is written.

    Example: envctl init --context preview --ci gitlab
    """  # fmt: skip

    async def verb(out: Output) -> int:
        from envctl.adapters.repository import LocalFolder
        from envctl.adapters.templates import workflows
        from envctl.config import starter
        from envctl.model.pipelines import Wishes
        from envctl.output.init import init_lines
        from envctl.workflow.init import init as look

        if file.parent != Path() or file.is_absolute():
            raise ConfigError(
                f"{file} is not in this folder.",
                why="What is found is written down relative to the folder of the file.",
                next=f"Run it in {file.parent}, with --file {file.name} if it is called so.",
            )
        wishes = Wishes(project, context, ci, image, templates, domain)
        _check(wishes)
        result = look(
            LocalFolder(Path()), file.name, wishes, starter.label, starter.text, workflows()
        )
        out.document(result.as_json(), init_lines(result))
        return EXIT_OK

    boundary.run(Options("init", file, context, project, output=output), verb, quiet=True)


def _check(wishes: Wishes) -> None:
    """Raise ConfigError for what could not be written down as it was said."""
    from envctl.config import names
    from envctl.model.pipelines import SYSTEMS

    if wishes.project:
        names.check_label("project", wishes.project, names.MAX_PROJECT)
    if wishes.system not in SYSTEMS:
        raise ConfigError(
            f"--ci {wishes.system[:40]!r} is not known.",
            why=f"Templates are there for {', '.join(SYSTEMS[1:-1])}.",
            next="Choose one of them, or none.",
        )
    for option, value in (
        ("--context", wishes.context),
        ("--image", wishes.image),
        ("--templates", wishes.templates),
        ("--domain", wishes.domain),
    ):
        if value and not _WORD.fullmatch(value):
            raise ConfigError(
                f"{option} {value[:80]!r} cannot be used.",
                why="It goes into YAML as it is, and has characters that mean something there.",
                next="Give the name as it is, without quotes or spaces.",
            )
