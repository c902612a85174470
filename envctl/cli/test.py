"""``envctl test``."""

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


def test(
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
    """Run the checks against a deployed environment, all of them, every time.

    Example: envctl test --junit report.xml
    """
    options = Options(
        "test", file, context, project, name, output, tuple(image), junit, metrics_file,
        pushgateway, lock_timeout,
    )  # fmt: skip
    stages.run(options, ("test",))
