"""What a run leaves for its pipeline: JUnit report, metrics file, metrics at a Pushgateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.output.files import check_writable, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from envctl.output.context import RunContext
    from envctl.output.options import OutputOptions
    from envctl.output.recorder import Recorder


def check_artifacts(options: OutputOptions) -> None:
    """Refuse paths that cannot be written before the run begins, not when it ends.

    Raises:
        ConfigError: one of the paths cannot be written.

    """
    if options.junit:
        check_writable(options.junit, "--junit")
    if options.metrics_file:
        check_writable(options.metrics_file, "--metrics-file")


def write_artifacts(options: OutputOptions, recorder: Recorder, context: RunContext) -> list[str]:
    """Write all that was asked for; what fails is a warning and changes no exit code."""
    warnings: list[str] = []
    if options.junit:
        from envctl.output.junit import junit_xml

        warnings.append(_write(options.junit, junit_xml(recorder, context)))
    if options.metrics_file:
        from envctl.output.metrics import openmetrics_text

        warnings.append(_write(options.metrics_file, openmetrics_text(recorder)))
    if options.pushgateway:
        from envctl.output.metrics import push

        warnings.append(push(options.pushgateway, recorder, context))
    return [warning for warning in warnings if warning]


def _write(path: Path, content: str) -> str:
    try:
        write_atomically(path, content)
    except OSError as error:
        return f"{path} was not written: {error.strerror or error}."
    return ""
