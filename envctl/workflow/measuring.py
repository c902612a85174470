"""What a check's pods have left as numbers: in their termination messages, or in their output."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import measures, owners, readings
from envctl.model.objects import POD, Obj
from envctl.workflow.hiding import hidden_in

if TYPE_CHECKING:
    from envctl.model.measures import Measures
    from envctl.model.record import Checked
    from envctl.model.redact import Hidden
    from envctl.model.spec import Check
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run


async def measured(
    run: Run, context: StepContext, wanted: Check, job: Obj, checked: Checked
) -> Checked:
    """The result with the numbers of the Job's pods.

    The pods are asked for once more: the Job's end and its pod's come over two watches, in any
    order. Where they cannot be had there are no numbers, which is no reason to fail.
    """
    pods: list[Obj] = []
    with contextlib.suppress(EnvctlError):
        selector = f"batch.kubernetes.io/job-name={job['metadata']['name']}"
        pods = await run.cluster.list(POD, run.environment.namespace, selector=selector)
    found = measures.ordered(owners.current_pods(job, pods, ()))
    if wanted.runs > 1:  # one that failed was tried again
        found = [pod for pod in found if (pod.get("status") or {}).get("phase") == "Succeeded"]
    if wanted.metrics == readings.TERMINATION:
        numbers = [measures.parse(measures.message(pod)) for pod in found]
    else:  # what a line is complained about with must not be a secret
        hidden = await hidden_in(run.cluster, run.environment.namespace)
        numbers = [await _said(run, context, wanted, pod, hidden) for pod in found]
    if wanted.runs == 1:
        return replace(checked, metrics=measures.merged(numbers))
    samples = measures.sampled(numbers)
    return replace(checked, metrics=measures.medians(samples), samples=samples)


async def _said(
    run: Run, context: StepContext, wanted: Check, pod: Obj, hidden: Hidden
) -> Measures:
    name = pod["metadata"]["name"]
    container = pod["spec"]["containers"][0]["name"]
    try:
        lines = await run.cluster.logs(
            run.environment.namespace, name, container, tail=readings.LINES
        )
    except EnvctlError as error:
        context.note("warning", f"the numbers of {name} could not be read: {error}")
        return ()
    reading = readings.read(wanted.metrics, map(hidden.mask, lines))
    for complaint in reading.complaints():
        context.note("warning", f"the numbers of {name}: {complaint}")
    return reading.metrics
