"""The environment itself: its namespace and what guards it, before any workload."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from envctl.errors import Refused, TimedOut
from envctl.model import environment as env
from envctl.model import guardrails, lifetime
from envctl.model.events import Waiting
from envctl.model.objects import NAMESPACE, Obj, annotations_of, labels_of, uid_of
from envctl.ports import attempt
from envctl.ports.cluster import AlreadyExists
from envctl.workflow import deploying, granting, stuck
from envctl.workflow.absence import until_gone
from envctl.workflow.existing import missing

if TYPE_CHECKING:
    from datetime import datetime

    from envctl.model.plan import ComponentPlan
    from envctl.workflow.engine import StepContext
    from envctl.workflow.run import Run

#: Seconds that ``up`` waits for a namespace that a teardown has given up on.
STUCK_PATIENCE = 15.0


async def create(run: Run, context: StepContext, planned: ComponentPlan) -> bool:
    """Make the namespace and its guardrails what the file says; False where they are already."""
    await _wait_for_deletion(run, context)
    made = await _namespace(run)
    granted = (made or planned.changed) and await granting.grant(run.writer)
    if planned.changed:
        await run.store.starting({planned.component.name: deploying.ahead(planned)})
        await deploying.deploy(run, context, planned)
    if granted:
        await granting.admitted(run.cluster, run.environment.namespace)
    return made or planned.changed


def refuse_strangers(run: Run, namespace: Obj) -> None:
    """Raise Refused unless the namespace carries this environment's labels (law 3).

    Two projects of a forge that share their name in envctl.yaml do not share an environment.
    """
    if run.environment.owns(labels_of(namespace)):
        _refuse_namesakes(run, namespace)
        return
    labels = labels_of(namespace)
    whose = f"project {labels[env.PROJECT]!r}" if env.PROJECT in labels else "somebody else"
    raise Refused(
        f"The namespace {run.environment.namespace!r} belongs to {whose}.",
        why="It exists without this environment's labels, and envctl changes only what is its own.",
        next="Choose another --name, or delete the namespace by hand if it is yours.",
    )


def _refuse_namesakes(run: Run, namespace: Obj) -> None:
    mine, theirs = run.environment.forge_project, annotations_of(namespace).get(env.FORGE_PROJECT)
    if mine and theirs and mine != theirs:
        raise Refused(
            f"The environment {run.environment.name!r} belongs to another project of that name.",
            why=f"It was made for {theirs}, and this run is for {mine}.",
            next="Give one of the two another `project` in envctl.yaml; a project that has moved "
            "takes its environment down by `envctl down`, and makes it anew.",
        )


async def _namespace(run: Run) -> bool:
    wanted = guardrails.namespace(run.environment, run.spec)
    if run.namespace is None:
        try:
            run.namespace = await run.writer.create(NAMESPACE, wanted)
        except AlreadyExists:  # made in between, or by our own request whose answer was lost
            run.namespace = await run.cluster.get(NAMESPACE, run.environment.namespace)
            if run.namespace is None:
                raise
        else:
            return True
    refuse_strangers(run, run.namespace)
    labels = wanted["metadata"]["labels"]
    if labels.items() <= labels_of(run.namespace).items():
        return False
    patch = {"metadata": {"uid": run.namespace_uid, "labels": labels}}
    run.namespace = await run.writer.patch(NAMESPACE, run.environment.namespace, patch)
    return True


async def _wait_for_deletion(run: Run, context: StepContext) -> None:
    """A namespace that an earlier `down` left going is let go first."""
    if run.namespace is None or not run.namespace["metadata"].get("deletionTimestamp"):
        return
    refuse_strangers(run, run.namespace)
    name, uid = run.environment.namespace, uid_of(run.namespace)
    context.progress("waiting", [Waiting(f"Namespace/{name}", "its earlier deletion must end")])
    patience = attempt.remaining(context.step.timeout) - attempt.MARGIN
    if env.info_of(run.namespace).phase is env.Phase.STUCK:  # a teardown waited in vain already
        patience = min(patience, STUCK_PATIENCE)
    try:
        async with context.only_waiting(), asyncio.timeout(max(1.0, patience)):
            await until_gone(run.cluster, NAMESPACE, name, "", uid)
    except TimeoutError as error:
        raise await _still_going(run, uid) from error
    run.namespace = None


async def _still_going(run: Run, uid: str) -> TimedOut:
    """The error that names what keeps the namespace from going, and who should remove it."""
    held = await stuck.stuck(run.cluster, run.environment, uid)
    why, next_step = "It went in this moment.", "Run the command again."
    if held:
        why, next_step = held[0].controller, held[0].next
    return TimedOut(
        f"The namespace {run.environment.namespace!r} is still being deleted.",
        why=why,
        next=next_step,
    )


async def mark(run: Run, phase: env.Phase) -> None:
    """Write what `list` shows: the phase, the commit, when it was used and until when it lives."""
    if run.namespace is None or not run.environment.owns(labels_of(run.namespace)):
        return
    if run.namespace["metadata"].get("deletionTimestamp"):
        return  # its phase is the teardown's to tell
    environment = run.environment
    used = run.cluster.server_time() or run.clock.now()
    live = annotations_of(run.namespace)
    notes: dict[str, str | None] = {
        env.PHASE: str(phase),
        env.LAST_USED: lifetime.stamp(used),
        env.EXPIRES: _expiry(run, used),
        lifetime.TTL: None,
        lifetime.MAX: None,
        env.OWNER: environment.owner or live.get(env.OWNER),
        env.COMMIT: environment.commit or None,
        env.PIPELINE: environment.pipeline or None,
        env.URL: environment.url or None,
    }
    notes |= lifetime.limits(environment.ttl, environment.max_age)
    # A run by hand leaves the environment to the merge request that it belongs to.
    whose = {env.MERGE_REQUEST: environment.merge_request,
             env.FORGE_PROJECT: environment.forge_project}  # fmt: skip
    notes |= {key: value for key, value in whose.items() if value}
    run.namespace = await run.writer.annotate(run.namespace_uid, notes)


def _expiry(run: Run, used: datetime) -> str | None:
    """Until when this use lets it live: its time to live from now, never past its greatest age."""
    created = lifetime.moment((run.namespace or {})["metadata"].get("creationTimestamp", ""))
    environment = run.environment
    life = lifetime.Life(created or used, used, ttl=environment.ttl, max_age=environment.max_age)
    return lifetime.stamp(life.end) if life.end else None


def must_exist(run: Run) -> None:
    """Raise unless there is an environment to deploy to or to test."""
    if run.namespace is None:
        raise missing(run.cluster, run.environment)
    refuse_strangers(run, run.namespace)
