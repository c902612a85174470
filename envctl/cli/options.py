"""The options that verbs share, each defined once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from envctl.output.options import Mode, OutputOptions

FileOption = Annotated[
    Path, typer.Option("--file", "-f", help="The configuration.", show_default=True)
]
#: For ``logs``, where everybody's fingers know -f as --follow.
LongFileOption = Annotated[
    Path, typer.Option("--file", help="The configuration.", show_default=True)
]
ContextOption = Annotated[
    str, typer.Option("--context", help="The kubeconfig context to work on.", show_default=False)
]
ProjectOption = Annotated[
    str, typer.Option("--project", "-p", help="The project's name.", show_default=False)
]
NameOption = Annotated[
    str, typer.Option("--name", "-n", help="The environment's name.", show_default=False)
]
OutputOption = Annotated[
    Mode | None,
    typer.Option(
        "--output", "-o", help="text on a terminal, logfmt without; json is one document.",
        show_default=False,
    ),
]  # fmt: skip
ImageOption = Annotated[
    list[str],
    typer.Option("--image", help="NAME=REFERENCE, the value of ${image.NAME}; repeatable."),
]
JunitOption = Annotated[
    Path | None, typer.Option("--junit", help="Write the steps as JUnit XML to this file.")
]
MetricsOption = Annotated[
    Path | None, typer.Option("--metrics-file", help="Write the metrics as OpenMetrics text.")
]
DotenvOption = Annotated[
    Path | None, typer.Option("--dotenv", help="Write URL and names as variables to this file.")
]
AnnotationsOption = Annotated[
    Path | None, typer.Option("--annotations", help="Write links for the job's page as JSON.")
]
DiagnosisOption = Annotated[
    Path | None,
    typer.Option("--diagnosis", help="Put what failed and its evidence into this folder."),
]
TimingsOption = Annotated[
    bool, typer.Option("--timings", help="At the end, tell where the time went, step by step.")
]
TraceOption = Annotated[
    Path | None,
    typer.Option("--trace", help="Write the timeline: a picture (.svg) or a Chrome trace (.json)."),
]
PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", help="Draw what the gates were given, run by run, in this .svg file."),
]
PushgatewayOption = Annotated[
    str, typer.Option("--pushgateway", help="Send the metrics to this URL.", show_default=False)
]
ReportOption = Annotated[
    bool,
    typer.Option(
        "--report/--no-report",
        help="In a merge request's pipeline, tell the merge request; ENVCTL_REPORT=0 does not.",
    ),
]
LockTimeoutOption = Annotated[
    str,
    typer.Option("--lock-timeout", help="How long to wait for another run on the environment."),
]

DEFAULT_FILE = Path("envctl.yaml")


@dataclass(frozen=True, slots=True)
class Options:
    """What was said on the command line, the same for every verb that touches a cluster."""

    verb: str
    file: Path = DEFAULT_FILE
    context: str = ""
    project: str = ""
    name: str = ""
    output: Mode | None = None
    images: tuple[str, ...] = ()
    junit: Path | None = None
    metrics_file: Path | None = None
    pushgateway: str = ""
    lock_timeout: str = "5m"
    dotenv: Path | None = None
    annotations: Path | None = None
    diagnosis: Path | None = None
    report: bool = True
    timings: bool = False
    trace: Path | None = None
    plot: Path | None = None

    @property
    def for_output(self) -> OutputOptions:
        """The part that the output layer needs."""
        return OutputOptions(
            self.output, self.junit, self.metrics_file, self.pushgateway, self.dotenv,
            self.annotations, self.diagnosis, self.timings, self.trace, self.plot,
        )  # fmt: skip
