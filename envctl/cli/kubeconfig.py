"""``envctl kubeconfig``."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    FileOption,
    LockTimeoutOption,
    NameOption,
    Options,
    OutputOption,
    ProjectOption,
)
from envctl.errors import EXIT_OK, Refused
from envctl.model.access import AccessRole

if TYPE_CHECKING:
    from envctl.output.lines import Lines
    from envctl.output.sink import Output


def kubeconfig(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    role: Annotated[
        AccessRole,
        typer.Option("--role", help="view reads all but Secrets; edit may also exec and change."),
    ] = AccessRole.VIEW,
    ttl: Annotated[str, typer.Option("--ttl", help="How long it is good for, from 10m on.")] = "1h",
    merge: Annotated[
        bool, typer.Option("--merge", help="Put it into your kubeconfig, as a context of its own.")
    ] = False,
    output: OutputOption = None,
    lock_timeout: LockTimeoutOption = "5m",
) -> None:
    """Issue a short-lived credential that reaches nothing but this environment.

    Without --merge the kubeconfig is printed; it is a secret, and no file is written. With --merge
    the context envctl-PROJECT-NAME is added, and no other is touched.

    Example: envctl kubeconfig --name mr-12-fix-cart --role edit --ttl 30m --merge
    """
    options = Options("kubeconfig", file, context, project, name, output, lock_timeout=lock_timeout)

    async def verb(out: Output) -> int:
        from envctl.adapters.kubernetes import kubeconfig as files
        from envctl.cli.wiring import looking
        from envctl.config import duration
        from envctl.model.kubeconfig import build
        from envctl.workflow.access import grant

        path = files.users_file(os.environ) if merge else None
        _keep_out_of_artifacts(path)
        seconds = duration.seconds(ttl, what="--ttl")
        async with looking(options, out) as found:
            cluster = files.cluster_of(found.target, os.environ)
            credential = await grant(found.world, found.environment, role, seconds)
        called = f"envctl-{found.environment.namespace}"
        config = build(called, cluster, found.environment.namespace, credential.token)
        if path is not None:
            files.merge_into(path, config)
        _show(out, config, credential.expires_at, path)
        return EXIT_OK

    boundary.run(options, verb)


def _keep_out_of_artifacts(path: Path | None) -> None:
    """Raise Refused where the credential would end in a job's log or among its artifacts."""
    checkout = os.environ.get("CI_PROJECT_DIR") or os.environ.get("GITHUB_WORKSPACE") or ""
    if path is not None:
        if checkout and path.resolve().is_relative_to(Path(checkout).resolve()):
            raise Refused(
                f"The kubeconfig {path} lies in the job's checkout.",
                why="A credential there may be kept as an artifact.",
                next="Set KUBECONFIG to a file outside the checkout.",
            )
        return
    in_job = bool(checkout) or bool(os.environ.get("CI"))
    if in_job and not stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
        raise Refused(
            "The credential would be printed into the job's log.",
            why="This is a CI job, and its output is kept.",
            next="Use --merge, which puts it into the job's own kubeconfig.",
        )


def _show(out: Output, config: dict[str, Any], expires: str, path: Path | None) -> None:
    from envctl.output.options import Mode

    context = config["current-context"]
    shown = None if path else config
    data = {"context": context, "expiresAt": expires, "path": str(path or ""), "kubeconfig": shown}
    if path is not None:
        out.document(data, _merged_lines(context, expires, path))
    elif out.mode is Mode.JSON:
        out.document(data)
    else:
        import yaml

        out.verbatim(yaml.safe_dump(config, sort_keys=False))


def _merged_lines(context: str, expires: str, path: Path) -> Lines:
    from envctl.output.lines import Span, line

    return [
        (Span(f"{context}", "name"), Span(f" is in {path}, good until {expires}")),
        line(f"  kubectl --context {context} get pods", "dim"),
    ]
