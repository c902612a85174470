"""What ``down --force`` does, and all that it does: it lets go what is held in the environment.

It takes finalizers that no controller of the control plane removes off objects that are being
deleted, in the environment's namespace or with its labels, and deletes pods that a silent node
holds. Everything by the UID and the version that it looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Superseded
from envctl.model import held
from envctl.model.objects import NAMESPACE, POD, labels_of, uid_of
from envctl.workflow import stuck
from envctl.workflow.stuck import Held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.environment import Environment
    from envctl.model.objects import Resource
    from envctl.workflow.engine import StepContext
    from envctl.workflow.writer import Writer

#: Seconds in which controllers may let go by themselves, before each time that force is used.
PATIENCE = 15.0


async def force(context: StepContext, writer: Writer, uid: str, kinds: Sequence[Resource]) -> None:
    """Let go what is held now; what may not be let go is said, and stays."""
    cluster, environment = writer.cluster, writer.environment
    namespace = await cluster.get(NAMESPACE, environment.namespace)
    holding = await stuck.outside(cluster, environment, kinds)
    if namespace is not None and uid_of(namespace) == uid:
        holding += await stuck.inside(cluster, environment.namespace)
        for pod, _ in await stuck.silent(cluster, environment.namespace):
            await _end(context, writer, pod["metadata"]["name"], uid_of(pod))
        if namespace["metadata"].get("deletionTimestamp"):
            holding.append(Held(NAMESPACE, namespace))
    for one in holding:
        if held.removable(one.obj) and _ours(one, environment):
            await _let_go(context, writer, one)


def _ours(one: Held, environment: Environment) -> bool:
    """Law 3: in its namespace, or with its labels."""
    if one.resource.namespaced:
        return bool(one.obj["metadata"].get("namespace") == environment.namespace)
    return environment.owns(labels_of(one.obj))


async def _let_go(context: StepContext, writer: Writer, one: Held) -> None:
    meta = one.obj["metadata"]
    gone = held.removable(one.obj)
    kept = [finalizer for finalizer in meta["finalizers"] if finalizer not in gone]
    patch = {
        "metadata": {
            "uid": uid_of(one.obj),
            "resourceVersion": meta["resourceVersion"],
            "finalizers": kept or None,
        }
    }
    name = f"{one.resource.kind}/{meta['name']}"
    try:
        await writer.patch(one.resource, meta["name"], patch)
    except Superseded:
        raise
    except EnvctlError as error:  # gone or changed in between, or not allowed: the next look tells
        context.note("warning", f"{name} could not be let go: {error}", object=name)
    else:
        words = ", ".join(map(repr, gone))
        context.note("warning", f"forced: took the finalizer {words} off {name}", object=name)


async def _end(context: StepContext, writer: Writer, name: str, uid: str) -> None:
    if await writer.delete(POD, name, uid=uid, grace=0):
        context.note(
            "warning", f"forced: deleted Pod/{name} without its node's word", object=f"Pod/{name}"
        )
