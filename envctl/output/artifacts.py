"""What a run leaves for its pipeline: reports, metrics, variables, links, a diagnosis."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from envctl.errors import ConfigError
from envctl.output.files import check_writable, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envctl.errors import EnvctlError
    from envctl.output.context import RunContext
    from envctl.output.options import OutputOptions
    from envctl.output.recorder import Recorder

_TRACES = (".svg", ".json")


def check_artifacts(options: OutputOptions) -> None:
    """Refuse paths that cannot be written before the run begins, not when it ends.

    Raises:
        ConfigError: one of the paths cannot be written.

    """
    for path, option in (
        (options.junit, "--junit"),
        (options.metrics_file, "--metrics-file"),
        (options.dotenv, "--dotenv"),
        (options.annotations, "--annotations"),
        (options.trace, "--trace"),
        (options.plot, "--plot"),
    ):
        if path:
            check_writable(path, option)
    if options.trace and options.trace.suffix not in _TRACES:
        raise ConfigError(
            f"--trace cannot be written to {options.trace}.",
            why="The name's end says what to write: a picture or a Chrome trace.",
            next="Give a path that ends in .svg or in .json.",
        )
    if options.diagnosis:
        from envctl.output.folder import prepare

        prepare(options.diagnosis)


def write_artifacts(
    options: OutputOptions, recorder: Recorder, context: RunContext, environ: Mapping[str, str]
) -> list[str]:
    """Write all that was asked for; what fails is a warning and changes no exit code."""
    warnings: list[str] = []
    if options.junit:
        from envctl.output.junit import junit_xml

        warnings.append(_write(options.junit, junit_xml(recorder, context)))
    if options.metrics_file:
        from envctl.output.metrics import openmetrics_text

        warnings.append(_write(options.metrics_file, openmetrics_text(recorder)))
    if options.dotenv or options.annotations:
        from envctl.output import handover

        texts = (
            (options.dotenv, handover.dotenv(recorder)),
            (options.annotations, handover.links(recorder, environ)),
        )
        warnings += [_write(path, content) for path, content in texts if path and content]
    if options.trace:
        warnings.append(_write(options.trace, _trace(options.trace, recorder, context)))
    if options.plot:
        from envctl.output.plot import plot

        warnings.append(_write(options.plot, plot(recorder, context)))
    if options.diagnosis and recorder.error is not None:
        warnings.append(_write_index(options.diagnosis, recorder, recorder.error, context))
    if options.pushgateway:
        from envctl.output.metrics import push

        warnings.append(push(options.pushgateway, recorder, context))
    return [warning for warning in warnings if warning]


def _trace(path: Path, recorder: Recorder, context: RunContext) -> str:
    if path.suffix == ".svg":
        from envctl.output.waterfall import waterfall

        return waterfall(recorder, context)
    from envctl.output.trace import chrome_trace

    return chrome_trace(recorder, context)


def _write_index(root: Path, recorder: Recorder, error: EnvctlError, context: RunContext) -> str:
    from envctl.output.folder import INDEX, index

    title = " ".join(part for part in (context.verb, context.title) if part)
    with suppress(OSError):  # then writing fails, and says so
        root.mkdir(parents=True, exist_ok=True)
    return _write(root / INDEX, index(root, error, recorder.evidence, title, recorder.unfinished()))


def _write(path: Path, content: str) -> str:
    try:
        write_atomically(path, content)
    except OSError as error:
        return f"{path} was not written: {error.strerror or error}."
    return ""
