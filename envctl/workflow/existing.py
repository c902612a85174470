"""The environment that a verb is asked about, where it must be there: its namespace, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Refused
from envctl.model.objects import NAMESPACE, Obj, labels_of

if TYPE_CHECKING:
    from envctl.model.environment import Environment
    from envctl.ports.cluster import Cluster


async def existing(cluster: Cluster, environment: Environment) -> Obj:
    """The environment's namespace; raises EnvctlError where there is none, Refused a stranger's."""
    namespace = await cluster.get(NAMESPACE, environment.namespace)
    if namespace is None:
        raise missing(cluster, environment)
    if not environment.owns(labels_of(namespace)):
        raise Refused(
            f"The namespace {environment.namespace!r} is not this environment's.",
            why="It exists without its labels, and envctl works only on what is its own.",
            next="Check --project and --name with `envctl list`.",
        )
    return namespace


def missing(cluster: Cluster, environment: Environment) -> EnvctlError:
    """What is said of an environment that is not there."""
    return EnvctlError(
        f"The environment {environment.name!r} does not exist.",
        why=f"There is no namespace {environment.namespace!r} in {cluster.context!r}.",
        next="Look at `envctl list`, or make it with `envctl up`.",
    )
