"""``envctl doctor``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    FileOption,
    NameOption,
    Options,
    OutputOption,
    ProjectOption,
)
from envctl.errors import EXIT_FAILED, EXIT_OK, ConfigError, EnvctlError

if TYPE_CHECKING:
    from envctl.adapters.kubernetes.connect import Target
    from envctl.config.ci import CIContext
    from envctl.model.finding import Finding
    from envctl.model.spec import Spec
    from envctl.output.sink import Output


def doctor(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    output: OutputOption = None,
) -> None:
    """Look at everything that up will need, and say what to mend; nothing is changed.

    Ends with 1 if something would keep up from working; warnings alone end with 0.

    Example: envctl doctor --context preview
    """
    options = Options("doctor", file, context, project, name, output)

    async def verb(out: Output) -> int:
        from envctl.model.finding import Verdict
        from envctl.output.doctor import doctor_lines

        found = await _examine(options, out)
        data = {"checks": [finding.as_json() for finding in found]}
        out.document(data, doctor_lines(found, out.symbols, out.width))
        failed = any(finding.result is Verdict.FAIL for finding in found)
        return EXIT_FAILED if failed else EXIT_OK

    boundary.run(options, verb, quiet=True)


async def _examine(options: Options, out: Output) -> list[Finding]:
    from envctl.adapters.clock import SystemClock
    from envctl.adapters.local.lookup import tool_folders
    from envctl.adapters.machine import LocalMachine
    from envctl.cli.wiring import connected
    from envctl.config import ci
    from envctl.workflow import doctor as workflow

    job = ci.detect(os.environ, Path.cwd())
    spec, found = _file(options, job)
    target, namespace, more = _target(options, spec)
    machine = LocalMachine(target, tool_folders())
    found += more
    if target is not None:
        async with connected(target, out) as cluster:
            patient = workflow.Patient(cluster, machine, SystemClock(), namespace, spec)
            found += await workflow.of_cluster(patient)
    found += await workflow.of_machine(machine, spec)
    return [*found, _job(job), *await _forge(job)]


async def _forge(job: CIContext) -> list[Finding]:
    from envctl.cli.wiring import forge_of
    from envctl.model.finding import failed
    from envctl.workflow.doctor_forge import of_forge

    try:
        forge = forge_of(job)
    except ConfigError as error:
        return [failed("forge", error)]
    try:
        return await of_forge(forge, job.forge_project)
    finally:
        if forge is not None:
            await forge.close()


def _file(options: Options, job: CIContext) -> tuple[Spec | None, list[Finding]]:
    """The file, if there is one, and what is to be said of it."""
    from envctl.cli.wiring import settings_of
    from envctl.config import load
    from envctl.model.finding import failed, ok, warn

    called = str(options.file)
    if not options.file.exists():
        advice = "Write one for `envctl up`; `down`, `status` and `logs` need only --project and "
        return None, [warn("file", f"there is no {called}", f"{advice}--name.")]
    try:
        spec = load.load(load.read(options.file), settings_of(options), job).spec
    except EnvctlError as error:
        return None, [failed("file", error)]
    parts = f"{len(spec.components)} components, {len(spec.checks)} checks"
    return spec, [ok("file", f"{called}: project {spec.project}, {parts}")]


def _target(options: Options, spec: Spec | None) -> tuple[Target | None, str, list[Finding]]:
    """The cluster to look at, and the namespace to ask about where an environment is meant."""
    from envctl.cli.wiring import identify, settings_of, target_of, target_without_file
    from envctl.model.finding import failed, ok

    settings = settings_of(options)
    try:
        if spec is not None:
            target = target_of(settings, spec.context, spec.allowed_contexts)
        else:
            target = target_without_file(options, settings)
    except EnvctlError as error:
        return None, "", [failed("context", error)]
    try:
        namespace = identify(options)[0].namespace
    except ConfigError:
        namespace = ""  # then the question is put for all namespaces
    return target, namespace, [ok("context", target.context)]


def _job(job: CIContext) -> Finding:
    """What the CI says of the run, and which variables of ours are set."""
    from envctl.model.finding import ok, warn

    ours = ", ".join(sorted(name for name in os.environ if name.startswith("ENVCTL_")))
    said = f"; set: {ours}" if ours else ""
    name = job.default_name()
    if not job.system:
        return ok("ci", f"not in a CI job; the environment is called {name}{said}")
    facts = [f"{what} {value}" for what, value in (
        ("branch", job.branch), ("merge request", job.merge_request), ("pipeline", job.pipeline),
    ) if value]  # fmt: skip
    detail = f"{job.system}: {', '.join(facts) or 'nothing is known'}; the name is {name}{said}"
    if not (job.branch and job.pipeline):
        return warn("ci", detail, "Pass the CI's own variables on to the job: without the "
                    "pipeline's number an older run cannot be told from a newer one.")  # fmt: skip
    return ok("ci", detail)
