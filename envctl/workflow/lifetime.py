"""``extend`` and ``keep``: let an environment live longer.

Both change annotations that no run writes, and so need no lock: they never wait for a run that
works on the environment, and never disturb one. Against a teardown they are safe by the version of
the namespace: each writes to exactly the version that it looked at, and a teardown marks it first.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Refused
from envctl.model.environment import KEEP, Environment, Phase, info_of
from envctl.model.lifetime import EXTENDED, Keep, Life, later, life_of, stamp
from envctl.model.objects import NAMESPACE, Obj, annotations_of, uid_of
from envctl.model.result import LifetimeResult
from envctl.ports.cluster import Conflict
from envctl.workflow.engine import Engine
from envctl.workflow.existing import existing
from envctl.workflow.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from envctl.workflow.session import World

    Notes = dict[str, str | None]

#: Seconds that ``extend`` gives where nothing says how long an environment lives.
DEFAULT = 86400.0
ATTEMPTS = 10


class Unlocked:
    """The fence of a write that only says something about an environment, and changes none."""

    async def check(self) -> None:
        """Always allow it."""


async def extend(world: World, environment: Environment, seconds: float | None) -> LifetimeResult:
    """Let it live ``seconds`` from now (None: its time to live), never past its greatest age.

    An end that is later already stays. Raises Refused past the greatest age.
    """

    def change(life: Life, now: datetime) -> Notes:
        wanted = later(now, (life.ttl or DEFAULT) if seconds is None else seconds)
        if life.limit is not None and wanted > life.limit:
            _say_limit(world, environment, life.limit, now)
            wanted = life.limit
        if life.end is None or life.end >= wanted.replace(microsecond=0):
            return {}
        return {EXTENDED: stamp(wanted)}

    return await _changed(world, environment, change, "extended")


async def keep(
    world: World, environment: Environment, until: datetime | None, seconds: float | None
) -> LifetimeResult:
    """Keep it until a moment, for ``seconds`` from now, or with neither without end."""

    def change(life: Life, now: datetime) -> Notes:
        end = later(now, seconds) if seconds is not None else until
        if end is not None and end <= now:
            raise Refused(
                f"{stamp(end)} has passed.",
                why="An environment can be kept until a moment that is to come.",
                next="Give a later --until, or --off to keep it no longer.",
            )
        wanted = Keep(" ".join(environment.owner.split()) or "somebody", end)
        if life.keep is not None and life.keep.dump().split(" ")[0] == wanted.dump().split(" ")[0]:
            return {}
        return {KEEP: wanted.dump()}

    return await _changed(world, environment, change, "kept")


async def release(world: World, environment: Environment) -> LifetimeResult:
    """Keep it no longer."""

    def change(life: Life, now: datetime) -> Notes:
        del now
        return {KEEP: None} if life.keep is not None else {}

    return await _changed(world, environment, change, "released")


async def _changed(
    world: World, environment: Environment, change: Callable[[Life, datetime], Notes], word: str
) -> LifetimeResult:
    writer = Writer(world.cluster, environment, Unlocked())
    for _ in range(ATTEMPTS):
        namespace = await _alive(world, environment)
        life = life_of(annotations_of(namespace), namespace["metadata"]["creationTimestamp"])
        now = world.cluster.server_time() or world.clock.now()
        notes = change(life, now)
        if not notes:
            return LifetimeResult(info_of(namespace), "unchanged")
        meta = {
            "uid": uid_of(namespace),
            "resourceVersion": namespace["metadata"]["resourceVersion"],
            "annotations": notes,
        }
        with contextlib.suppress(Conflict):
            patched = await writer.patch(NAMESPACE, environment.namespace, {"metadata": meta})
            return LifetimeResult(info_of(patched), word)
    raise Conflict(
        f"The namespace of {environment.name} is changed all the time.",
        why=f"At {ATTEMPTS} attempts somebody else was quicker.",
    )


async def _alive(world: World, environment: Environment) -> Obj:
    """The environment's namespace, if it is to stay."""
    namespace = await existing(world.cluster, environment)
    if info_of(namespace).phase in (Phase.DELETING, Phase.STUCK):
        raise EnvctlError(
            f"The environment {environment.name!r} is being deleted.",
            why="Its teardown has begun, and what is gone cannot be kept.",
            next="Run `envctl up` to have it again.",
        )
    return namespace


def _say_limit(world: World, environment: Environment, limit: datetime, now: datetime) -> None:
    if limit <= now:
        raise Refused(
            f"The environment {environment.name!r} has reached its greatest age.",
            why=f"By environment.lifetime.max it lived until {stamp(limit)}.",
            next="Keep it with `envctl keep`, or let it go and run `envctl up`.",
        )
    Engine(world.clock, world.emit).note(
        "warning", f"it lives until {stamp(limit)} at most: environment.lifetime.max ends it"
    )
