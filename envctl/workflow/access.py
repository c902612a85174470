"""``kubeconfig``: a short-lived credential that reaches nothing but one environment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envctl.errors import ConfigError, EnvctlError, Refused
from envctl.model import access
from envctl.model.environment import NAME, PROJECT, Environment
from envctl.model.objects import SERVICE_ACCOUNT, Obj, Resource, labels_of
from envctl.workflow import session
from envctl.workflow.engine import Engine
from envctl.workflow.existing import existing
from envctl.workflow.writer import Writer

if TYPE_CHECKING:
    from envctl.model.access import AccessRole
    from envctl.ports.cluster import Cluster
    from envctl.workflow.session import World

#: Seconds below which the API server refuses a token (k8s.io/kubernetes/pkg/apis/authentication).
SHORTEST = 600.0


@dataclass(frozen=True, slots=True)
class Credential:
    """A token and until when it is good (RFC 3339), as the server says, not as was asked."""

    token: str = field(repr=False)
    expires_at: str


async def grant(world: World, environment: Environment, role: AccessRole, ttl: float) -> Credential:
    """Issue a token for the role's account; account and role are made where they are missing.

    Raises EnvctlError where there is no such environment, ConfigError for too short a time, Locked.
    """
    if ttl < SHORTEST:
        raise ConfigError(
            f"--ttl is {ttl:.0f} s.",
            why=f"Kubernetes issues no token for less than {SHORTEST / 60:.0f} minutes.",
            next="Ask for at least 10m.",
        )
    namespace = await existing(world.cluster, environment)
    if namespace["metadata"].get("deletionTimestamp"):
        raise EnvctlError(
            f"The environment {environment.name!r} is being deleted.",
            why="Nothing new can be made in it.",
            next="Wait until it is gone, then run `envctl up`.",
        )
    wanted = access.objects(role, environment.namespace)
    if not await _in_place(world.cluster, environment, wanted):
        await _make(world, environment, wanted)
    return await _token(world.cluster, environment, access.name_of(role), ttl)


async def _in_place(
    cluster: Cluster, environment: Environment, wanted: list[tuple[Resource, Obj]]
) -> bool:
    found = await asyncio.gather(
        *(cluster.get(r, o["metadata"]["name"], environment.namespace) for r, o in wanted)
    )
    for obj in found:
        if obj is not None:
            _refuse_strangers(environment, obj)
    return all(
        live is not None and access.same(obj, live)
        for (_, obj), live in zip(wanted, found, strict=True)
    )


def _refuse_strangers(environment: Environment, obj: Obj) -> None:
    labels = labels_of(obj)
    if (labels.get(PROJECT), labels.get(NAME)) != (environment.project, environment.name):
        raise Refused(
            f"{obj.get('kind', 'Object')}/{obj['metadata']['name']} belongs to somebody else.",
            why="It exists without this environment's labels.",
            next="Delete it by hand if nobody needs it, then run the command again.",
        )


async def _make(world: World, environment: Environment, wanted: list[tuple[Resource, Obj]]) -> None:
    # Without the pipeline: to ask for a credential takes the environment over from nobody.
    aside = replace(environment, pipeline="")
    engine = Engine(world.clock, world.emit)
    async with session.lock_of(world, aside, engine).held() as lock:
        writer = Writer(world.cluster, aside, lock)
        for resource, obj in wanted:
            await writer.apply(resource, writer.claim(obj, resource), force=True)


async def _token(cluster: Cluster, environment: Environment, name: str, ttl: float) -> Credential:
    answer = await cluster.call(
        "POST",
        f"{SERVICE_ACCOUNT.path(environment.namespace, name)}/token",
        {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": int(ttl)},
        },
    )
    status = answer.get("status") or {}
    return Credential(status.get("token", ""), status.get("expirationTimestamp", ""))
