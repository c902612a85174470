"""``envctl deploy``."""

from __future__ import annotations

from envctl.cli import stages
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    FileOption,
    ImageOption,
    JunitOption,
    LockTimeoutOption,
    MetricsOption,
    NameOption,
    Options,
    OutputOption,
    ProjectOption,
    PushgatewayOption,
)


def deploy(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    image: ImageOption = [],  # noqa: B006 - typer reads it, nobody changes it
    output: OutputOption = None,
    junit: JunitOption = None,
    metrics_file: MetricsOption = None,
    pushgateway: PushgatewayOption = "",
    lock_timeout: LockTimeoutOption = "5m",
) -> None:
    """Deploy the components into an environment that exists.

    Example: envctl deploy --image api=registry.example.org/shop/api:1.2
    """
    options = Options(
        "deploy", file, context, project, name, output, tuple(image), junit, metrics_file,
        pushgateway, lock_timeout,
    )  # fmt: skip
    stages.run(options, ("deploy",))
