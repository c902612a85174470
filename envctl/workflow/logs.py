"""``logs``: what the pods of an environment say, of all of them at once."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.errors import ConfigError
from envctl.model.members import members
from envctl.model.objects import POD
from envctl.workflow import past, store
from envctl.workflow.components import Finder
from envctl.workflow.engine import Engine
from envctl.workflow.existing import existing
from envctl.workflow.following import Follower
from envctl.workflow.hiding import Mask, hidden_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.environment import Environment
    from envctl.model.logs import Show, Wanted
    from envctl.workflow.session import World


@dataclass(frozen=True, slots=True)
class Logs:
    """The logs of an environment that exists, of components that it has."""

    world: World
    environment: Environment
    wanted: Wanted
    finder: Finder

    async def run(self, shown: Show) -> None:
        """Show every line that is asked for; with ``follow`` until the environment is gone.

        Without what the environment's Secrets hold: it is run in jobs, whose logs others read.
        """
        cluster, name = self.world.cluster, self.environment.namespace
        engine = Engine(self.world.clock, self.world.emit)
        pods, hidden = await asyncio.gather(cluster.list(POD, name), hidden_in(cluster, name))
        mask = Mask(shown, hidden)
        if self.wanted.follow:
            follower = Follower(
                self.world, self.environment, self.wanted, self.finder, engine, mask.show
            )
            async with asyncio.TaskGroup() as group:
                warn = functools.partial(engine.note, "warning")
                hiding = group.create_task(mask.follow(cluster, name, warn))
                await follower.run(pods)
                hiding.cancel()
            return
        streams = await past.streams(pods, self.wanted, self.finder)
        if not await past.show_all(engine, cluster, name, self.wanted, streams, mask.show):
            engine.note("warning", f"no container of {self.environment.name} has said anything")


async def prepare(world: World, environment: Environment, wanted: Wanted) -> Logs:
    """Check what is asked for, before anything is shown.

    Raises EnvctlError where there is no such environment, ConfigError for an unknown component.
    """
    await existing(world.cluster, environment)
    known, _ = await store.read(world.cluster, environment)
    found = members(known)
    _check(wanted.components, found.names)
    return Logs(world, environment, wanted, Finder(world.cluster, environment.namespace, found))


def _check(components: Sequence[str], names: frozenset[str]) -> None:
    for name in components:
        if name not in names:
            raise ConfigError(
                f"There is no component {name!r}.",
                why=f"The environment has {', '.join(sorted(names)) or 'none yet'}.",
                next="Choose one of them with --component, or leave it out to see all.",
            )
