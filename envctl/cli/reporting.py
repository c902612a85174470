"""Puts the reporter together: which merge request a run reports to, if it reports at all."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.errors import ConfigError, EnvctlError
from envctl.model.events import Note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from envctl.cli.options import Options
    from envctl.config.ci import CIContext
    from envctl.output.sink import Output
    from envctl.ports.forge import Forge
    from envctl.workflow.report import Place, Reporter


@asynccontextmanager
async def reporting(options: Options, out: Output) -> AsyncIterator[Reporter | None]:
    """The reporter of a run in a merge request's pipeline, else None.

    A run that ends inside without a result is reported too: to most people it is the first they
    hear of a mistake in envctl.yaml.
    """
    found = _reporter(options, out)
    if found is None:
        yield None
        return
    from envctl.workflow import report

    async with report.opened(found) as reporter:
        try:
            yield reporter
        except EnvctlError as error:
            await _no_result(options, reporter, error)
            raise


async def _no_result(options: Options, reporter: Reporter, error: EnvctlError) -> None:
    from envctl.cli.wiring import environment_of

    try:
        environment = environment_of(options)
    except EnvctlError:
        return  # not even its name is known: the job's log says why
    await reporter.error(environment, error)


def _reporter(options: Options, out: Output) -> Reporter | None:
    if options.report is False or os.environ.get("ENVCTL_REPORT") == "0":
        return None
    if "true" not in (os.environ.get("GITLAB_CI"), os.environ.get("GITHUB_ACTIONS")):
        return None  # on a laptop nobody waits for a note, and git need not be asked
    from envctl.adapters.clock import SystemClock
    from envctl.cli.wiring import forge_of
    from envctl.config import ci
    from envctl.workflow.report import Reporter

    context = ci.detect(os.environ, Path.cwd())
    place = place_of(context, options.verb)
    if place is None:
        return None
    try:
        forge = forge_of(context)
    except ConfigError as error:
        out.emit(Note("warning", f"the merge request is not told: {error}", 0.0))
        return None
    if forge is None or _untrusted_token(context, forge, out):
        return None
    return Reporter(forge, place, SystemClock(), out.emit)


def _untrusted_token(context: CIContext, forge: Forge, out: Output) -> bool:
    """A fork's pipeline has no token that may write; that is as it should be, and said once."""
    if not context.fork or os.environ.get("ENVCTL_FORGE_TOKEN"):
        return False
    out.emit(Note("info", f"{forge.kind} is not told: the merge request comes from a fork", 0.0))
    return True


def place_of(context: CIContext, verb: str) -> Place | None:
    """Where a job reports to; None where it belongs to no merge request."""
    from envctl.workflow.report import Place

    project = context.forge_project
    if project is None or not context.merge_request:
        return None
    return Place(
        project,
        context.merge_request,
        verb,
        job_url=context.job_url,
        baselines=context.baselines(),
        deployment=bool(context.environment),
        forge_environment=context.environment,
        stopping=context.stopping,
    )
