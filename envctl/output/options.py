"""What the user asked of the output, and what follows from where it goes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from envctl.output.paint import is_dumb
from envctl.output.streams import is_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Mode(enum.StrEnum):
    """The values of ``-o``."""

    TEXT = "text"
    JSON = "json"
    LOGFMT = "logfmt"


class Style(enum.Enum):
    """How progress is shown."""

    TREE = enum.auto()
    PLAIN = enum.auto()
    SECTIONS = enum.auto()
    LOGFMT = enum.auto()


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """``mode`` is nothing for the default: text on a terminal, logfmt without.

    ``pushgateway`` is a URL to push to, the paths are artifacts to write.
    """

    mode: Mode | None = None
    junit: Path | None = None
    metrics_file: Path | None = None
    pushgateway: str = ""
    dotenv: Path | None = None
    annotations: Path | None = None
    diagnosis: Path | None = None
    timings: bool = False
    trace: Path | None = None
    plot: Path | None = None


def result_mode(options: OutputOptions, stdout: TextIO) -> Mode:
    """How the result is written to stdout."""
    return options.mode or (Mode.TEXT if is_terminal(stdout) else Mode.LOGFMT)


def progress_style(
    options: OutputOptions, stdout: TextIO, stderr: TextIO, environ: Mapping[str, str]
) -> Style:
    """How progress is written to stderr.

    With stdout in a pipe and stderr on the terminal, somebody still watches: they get the tree.
    """
    if options.mode in {Mode.TEXT, None} and is_terminal(stderr):
        return Style.PLAIN if is_dumb(environ) else Style.TREE
    if options.mode is Mode.TEXT and not is_terminal(stdout):
        return Style.PLAIN
    return Style.SECTIONS if environ.get("GITLAB_CI") == "true" else Style.LOGFMT
