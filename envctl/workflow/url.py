"""``url``: where an environment answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from envctl.model.environment import URL
from envctl.model.objects import INGRESS, annotations_of
from envctl.model.urls import urls
from envctl.workflow.existing import existing

if TYPE_CHECKING:
    from envctl.model.environment import Environment
    from envctl.ports.cluster import Cluster


async def urls_of(cluster: Cluster, environment: Environment, ingress: str) -> tuple[str, ...]:
    """The environment's own URL, then one for each host of its Ingresses; at least one.

    Raises EnvctlError where there is no such environment, or nothing of it is exposed.
    """
    namespace = await existing(cluster, environment)
    ingresses = await cluster.list(INGRESS, environment.namespace)
    found = urls(annotations_of(namespace).get(URL, ""), ingresses, ingress)
    if not found:
        raise EnvctlError(
            f"The environment {environment.name!r} has no URL.",
            why="envctl.yaml gives it no host, and no Ingress in it names one.",
            next="Set environment.host and `expose` in envctl.yaml, or use `kubectl port-forward`.",
        )
    return found
