"""A release's hooks: what their Jobs write while Helm runs them, and why one of them failed.

Helm waits for its hooks by itself and says no more than that the Job has failed; it may even have
deleted it by then. So their Jobs are watched while Helm runs.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model import owners, readiness
from envctl.model.failure import Culprit, Failure
from envctl.model.objects import JOB, POD, Key, Obj, annotations_of, uid_of
from envctl.model.pods import troubles
from envctl.model.telling import telling
from envctl.workflow import diagnose, joblogs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run

LOG_LINES = 25
MAX_EVENTS = 5


@dataclass(slots=True)
class _Hooks:
    """The Jobs that Helm has made in this run, as they were last seen."""

    run: Run
    names: frozenset[str]
    jobs: dict[str, Obj] = field(default_factory=dict)
    pods: dict[str, Obj] = field(default_factory=dict)
    #: Jobs of an earlier run, which Helm is about to delete.
    old: set[str] = field(default_factory=set)
    ended: bool = False

    def seen(self) -> set[str]:
        """Note the Jobs and pods that are there; the UIDs of this run's Jobs."""
        for job in self.run.tracker.of_kind(JOB):
            uid = uid_of(job)
            if job["metadata"]["name"] not in self.names or uid in self.old:
                continue
            if uid not in self.jobs and _over(job):
                self.old.add(uid)
            else:
                self.jobs[uid] = job
        for pod in self.run.tracker.of_kind(POD):
            found = {o.get("uid") for o in pod["metadata"].get("ownerReferences") or []}
            if found & self.jobs.keys():
                self.pods[uid_of(pod)] = pod
        return set(self.jobs)


def _over(job: Obj) -> bool:
    return readiness.assess(job).state is not readiness.State.WAITING


@asynccontextmanager
async def watched(
    run: Run, context: StepContext, component: str, hooks: tuple[Obj, ...]
) -> AsyncIterator[None]:
    """While inside, the lines of the hooks' Jobs are shown; a failure is explained by its Job."""
    found = [hook for hook in hooks if hook.get("kind") == JOB.kind]
    if not found:
        yield
        return
    run.tracker.ensure([JOB])
    known = _Hooks(run, frozenset(str(hook["metadata"]["name"]) for hook in found))
    namespace = run.environment.namespace
    keys = [Key(JOB.group, JOB.kind, namespace, name) for name in known.names]
    try:
        async with joblogs.following(run, context, keys, known.seen, lambda: known.ended):
            try:
                yield
            finally:
                known.ended = True
    except EnvctlError as error:
        known.seen()
        failed = [job for job in known.jobs.values() if not readiness.is_true(job, "Complete")]
        if error.failure is not None or not failed:
            raise
        failure = await _explain(known, component, failed[-1])
        raise type(error)(
            failure.verdict, why=error.why, next=failure.next, failure=failure
        ) from error


async def _explain(known: _Hooks, component: str, job: Obj) -> Failure:
    tracker, name = known.run.tracker, job["metadata"]["name"]
    when = annotations_of(job).get("helm.sh/hook", "hook")
    pods = owners.current_pods(job, known.pods.values(), ())
    events = [
        said
        for obj in (job, *pods)
        for said in tracker.events_of(uid_of(obj), obj["metadata"]["name"])
    ]
    lines = [f"{event.get('reason', '')}: {event.get('message', '')}" for event in events]
    found = [trouble for pod in pods for trouble in troubles(pod, events)]
    why = found[-1].message if found else readiness.assess(job).reason
    culprit = Culprit(
        object=f"Job/{name}",
        component=component,
        container=found[-1].container if found else "",
        reason="HookFailed",
        message=f"its {when} hook failed: {why}",
        logs=telling(list(tracker.said.get(uid_of(job), ())), LOG_LINES),
        events=tuple(lines[-MAX_EVENTS:]),
    )
    culprit = await diagnose.masked(tracker, culprit)
    return Failure(
        f"{component} failed: Job/{name}: {culprit.message}.",
        (culprit,),
        "Read the hook's log above and correct it; Helm has stopped the release there.",
    )
