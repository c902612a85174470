"""``down``: take everything away and prove that it is gone (law 4).

Needs neither the repository nor envctl.yaml: the namespace's labels and the record in it say what
there is, and the lock's Lease remembers what lies outside.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Unavailable
from envctl.model import lease as leases
from envctl.model.environment import (
    SYSTEM_NAMESPACE,
    Environment,
    EnvironmentInfo,
    Phase,
    info_of,
)
from envctl.model.objects import LEASE, NAMESPACE, Obj
from envctl.model.result import DownResult
from envctl.model.step import Step
from envctl.workflow import leftovers, session, store
from envctl.workflow.engine import Engine, worst
from envctl.workflow.proving import Proof
from envctl.workflow.teardown import STEP, Down, refuse_strangers
from envctl.workflow.writer import Writer

if TYPE_CHECKING:
    from envctl.workflow.engine import StepContext
    from envctl.workflow.lock import Lock
    from envctl.workflow.session import World

#: Seconds to prove that nothing is left outside a namespace that is gone already.
OUTSIDE_TIMEOUT = 60.0


async def down(
    world: World, environment: Environment, timeout: float, *, force: bool = False
) -> tuple[DownResult, EnvctlError | None]:
    """Take the environment away; the result, and the error to exit with if it is not gone.

    ``force``: what still holds it after a while is let go (``envctl.workflow.forcing``).
    """
    engine = Engine(world.clock, world.emit)
    if await _nothing_to_do(world, environment):
        return _absent(environment, engine), None
    async with session.lock_of(world, environment, engine).held() as lock:
        namespace = await world.cluster.get(NAMESPACE, environment.namespace)
        if namespace is None and not lock.outside():
            return _absent(environment, engine), None
        if namespace is None:
            writer = Writer(world.cluster, environment, lock)
            return await outside_only(world, environment, engine, lock, writer, force=force)
        teardown = await begin(world, environment, engine, lock, namespace, timeout)
        teardown.force = force
        results = await engine.run(teardown.works())
        error = worst(list(results.values()))
        return _result(teardown, error), error


async def _nothing_to_do(world: World, environment: Environment) -> bool:
    """Whether nothing is there, nobody is making it, and no older pipeline could any more.

    A pipeline that takes away what is not there yet leaves its number on the Lease: an older one
    that comes late, or is in the middle of it, must not make the environment after all.
    """
    lease = await world.cluster.get(LEASE, environment.namespace, SYSTEM_NAMESPACE)
    if leftovers.remembered(lease) or leases.holder(lease or {}):
        return False
    if leases.newest(lease or {}) < leases.number(environment.pipeline):
        return False
    return await world.cluster.get(NAMESPACE, environment.namespace) is None


async def begin(
    world: World, environment: Environment, engine: Engine, lock: Lock, namespace: Obj,
    timeout: float,
) -> Down:  # fmt: skip
    """A teardown of exactly this namespace; raises Refused unless it is the environment's."""
    refuse_strangers(environment, namespace)
    record, _ = await store.read(world.cluster, environment)
    writer = Writer(world.cluster, environment, lock)
    return Down(world, environment, engine, lock, writer, namespace, record, timeout)


async def outside_only(
    world: World,
    environment: Environment,
    engine: Engine,
    lock: Lock,
    writer: Writer,
    *,
    force: bool = False,
) -> tuple[DownResult, EnvctlError | None]:
    """The namespace is gone, but an earlier teardown was killed before it proved the rest.

    The caller holds the lock, so that nobody makes the namespace anew meanwhile.
    """
    kinds = lock.outside()
    for resource in kinds:
        find = partial(world.cluster.list, resource, selector=environment.selector)
        await writer.delete_owned(resource, find)
    proof = Proof(world.cluster, writer, "", kinds, (), force=force)

    async def prove(context: StepContext) -> bool:
        await proof.run(context)
        await lock.forget()
        return True

    results = await engine.run([(Step("prove", OUTSIDE_TIMEOUT, retry=STEP), prove)])
    error = worst(list(results.values()))
    result = DownResult(
        _info(environment), _word(error), tuple(proof.left), tuple(proof.stuck), engine.elapsed()
    )
    return result, error


def _info(environment: Environment) -> EnvironmentInfo:
    return EnvironmentInfo(
        environment.project, environment.name, environment.namespace, Phase.DELETING
    )


def _absent(environment: Environment, engine: Engine) -> DownResult:
    return DownResult(_info(environment), "absent", (), (), engine.elapsed())


def _result(teardown: Down, error: EnvctlError | None) -> DownResult:
    info = info_of(teardown.namespace)
    return DownResult(
        info, _word(error), tuple(teardown.left), tuple(teardown.stuck), teardown.engine.elapsed()
    )


def _word(error: EnvctlError | None) -> str:
    if error is None:
        return "gone"
    return "unknown" if isinstance(error, Unavailable) else "stuck"
