"""Everything of a set-up as objects, in the order in which they are applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import setup_limits, setup_network, setup_policies, setup_rbac
from envctl.model.environment import MANAGED_BY, SYSTEM_NAMESPACE
from envctl.model.setup import SETUP, WHY, described, grants

if TYPE_CHECKING:
    from envctl.model.objects import Obj
    from envctl.model.setup import Setup

#: The priority of previews: below everything that does not say what it wants.
PRIORITY = -1000


def system_namespace() -> Obj:
    """The namespace of what must outlive environments; shared by all set-ups."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": SYSTEM_NAMESPACE,
            "labels": {MANAGED_BY: "envctl"},
            "annotations": {WHY: "Holds what must outlive environments: locks and accounts."},
        },
    }


def objects(setup: Setup) -> list[Obj]:
    """Everything of a set-up: limits before rights."""
    found = [
        *setup_policies.objects(setup),
        *setup_limits.objects(setup),
        *setup_network.objects(setup),
        _priority(setup),
        *setup_rbac.accounts(setup),
        *setup_rbac.roles(setup),
        grants(setup),
        *setup_rbac.bindings(setup),
    ]
    return [system_namespace(), *(_marked(obj, setup) for obj in found)]


def _marked(obj: Obj, setup: Setup) -> Obj:
    obj["metadata"]["labels"] = {MANAGED_BY: "envctl", SETUP: setup.name}
    return obj


def _priority(setup: Setup) -> Obj:
    return described(
        "scheduling.k8s.io/v1", "PriorityClass", setup.name,
        "Pods that name it are the first to go when the cluster is full, and push nobody out.",
        value=PRIORITY, preemptionPolicy="Never", globalDefault=False,
        description="Previews: first to go under pressure.",
    )  # fmt: skip
