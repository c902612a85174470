"""Binds, inside an environment, the roles that the administrator's set-up asks for.

RBAC cannot select namespaces by label, so that the accounts of a set-up hold little outside of
environments; what a deployment needs is granted in each, when it is made. A cluster without a
set-up has nothing to bind, and its credential everything already.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Forbidden, Refused
from envctl.model import permissions, setup
from envctl.model.environment import MANAGED_BY, SYSTEM_NAMESPACE
from envctl.model.objects import CONFIG_MAP, NAMESPACE, POD, ROLE_BINDING, Obj
from envctl.model.permissions import Permission, Scope

if TYPE_CHECKING:
    from envctl.model.environment import Environment
    from envctl.ports.cluster import Cluster
    from envctl.workflow.writer import Writer

#: Seconds until a new RoleBinding counts everywhere; API servers follow it by a watch.
IN_FORCE = 20.0
POLL = 0.1
#: Seconds until the policies of the set-up must have seen what their environment is made of.
SEEN = 10.0
_POD: Obj = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "probe",
                "image": "probe",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}
_PROBE = Permission(Scope.ENVIRONMENT, "", "secrets", "list")
_BIND = Permission(Scope.ENVIRONMENT, setup.RBAC, "rolebindings", "create")


async def configs(cluster: Cluster) -> list[Obj]:
    """What the set-ups of this cluster ask for; none where that may not be read."""
    selector = f"{MANAGED_BY}=envctl,{setup.SETUP}"
    try:
        return await cluster.list(CONFIG_MAP, SYSTEM_NAMESPACE, selector=selector)
    except Forbidden:
        return []


async def grant(writer: Writer) -> bool:
    """Bind what is asked for in the environment of ``writer``; whether there was anything.

    Returns once the API server lets this credential work there; raises Refused where it does not
    within ``IN_FORCE`` seconds, or where the set-up of another account is meant.
    """
    environment = writer.environment
    wanted = [
        obj
        for config in await configs(writer.cluster)
        for obj in setup.granted(
            config, environment.namespace, environment.project, environment.labels
        )
    ]
    for obj in wanted:
        try:
            await writer.apply(ROLE_BINDING, obj, force=True)
        except Forbidden as error:
            raise Refused(
                f"{environment.namespace} cannot be opened to this credential.",
                why=error.why,
                next="An administrator names this project with `envctl cluster init --project`, or "
                "runs it again for this credential.",
            ) from error
    if wanted:
        await _in_force(writer.cluster, environment)
    return bool(wanted)


async def _in_force(cluster: Cluster, environment: Environment) -> None:
    try:
        async with asyncio.timeout(IN_FORCE):
            while not await allowed(cluster, _PROBE, environment.namespace):  # noqa: ASYNC110
                await asyncio.sleep(POLL)
    except TimeoutError as error:
        raise Refused(
            f"What was bound in {environment.namespace} is not for this credential.",
            why=f"{IN_FORCE:.0f} s later it still may not list Secrets there, so that the set-up "
            "names other users or groups.",
            next="An administrator runs `envctl cluster init --apply` with the name that "
            "`kubectl auth whoami` shows for this credential.",
        ) from error


async def admitted(cluster: Cluster, namespace: str) -> None:
    """Return once the set-up's policies see the quota and the network policy that now stand.

    The API server follows them by a watch; until then it lets no pod start, and a pod that stands
    by itself would be refused for good. Where something else refuses it, the component will say so.
    """
    pod = {**_POD, "metadata": {"name": "envctl-probe", "namespace": namespace}}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SEEN):
            while await _unseen(cluster, pod):  # noqa: ASYNC110
                await asyncio.sleep(POLL)


async def _unseen(cluster: Cluster, pod: Obj) -> bool:
    try:
        await cluster.apply(POD, pod, dry_run=True)
    except EnvctlError as error:
        return any(f"{policy})" in error.next for policy in setup.BY_ANOTHER)
    return False


async def allowed(cluster: Cluster, permission: Permission, namespace: str) -> bool:
    """Whether this credential has a permission."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = await cluster.call("POST", path, permission.review(namespace))
    return bool((answer.get("status") or {}).get("allowed"))


async def will_bind(cluster: Cluster, namespace: str) -> bool:
    """Whether this credential lacks what it does only because the environment is not there yet.

    ``namespace`` is the environment's, or empty where none is meant.
    """
    if namespace and await cluster.get(NAMESPACE, namespace) is not None:
        return False
    return bool(await configs(cluster)) and await allowed(cluster, _BIND, namespace)


def not_bound(denied: list[Permission]) -> list[Permission]:
    """What of these no binding inside an environment gives."""
    return [p for p in denied if p.scope is not Scope.ENVIRONMENT or permissions.everywhere(p)]
