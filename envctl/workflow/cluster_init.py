"""``cluster init``: brings a set-up into a cluster, or takes it away; only what is its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.errors import Refused
from envctl.model import setup as setups
from envctl.model import setup_objects
from envctl.model.environment import MANAGED_BY, NAME, PROJECT, SYSTEM_NAMESPACE
from envctl.model.objects import (
    LEASE,
    NAMESPACE,
    ROLE_BINDING,
    Obj,
    Resource,
    labels_of,
    uid_of,
)
from envctl.ports.cluster import UnknownKind
from envctl.workflow import granting

if TYPE_CHECKING:
    from envctl.model.setup import Setup
    from envctl.ports.cluster import Cluster

#: Kinds of which a set-up had objects in any version of envctl, the last to be deleted last.
_KINDS = (
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "ConfigMap"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("v1", "ServiceAccount"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
)


@dataclass(frozen=True, slots=True)
class Changed:
    """What happened to one object: created, changed, unchanged or deleted."""

    object: str
    result: str

    def as_json(self) -> dict[str, Any]:
        """One entry of the public JSON (docs/json.md)."""
        return {"object": self.object, "result": self.result}


async def apply(cluster: Cluster, setup: Setup) -> list[Changed]:
    """Apply every object server-side; what the set-up no longer has is deleted.

    Raises Refused, before anything is written, where an object belongs to somebody else.
    """
    wanted = [(await _resource(cluster, obj), obj) for obj in setup_objects.objects(setup)]
    before = [await _live(cluster, resource, obj) for resource, obj in wanted]
    for live in before:
        _refuse_strangers(live, setup)
    done = []
    for (resource, obj), live in zip(wanted, before, strict=True):
        if live is not None and live.get("roleRef", {}) != obj.get("roleRef", {}):
            await cluster.delete(
                resource, obj["metadata"]["name"], obj["metadata"].get("namespace", ""),
                uid=uid_of(live),
            )  # fmt: skip
            live = None  # noqa: PLW2901 - a binding's role cannot be changed, only made anew
        now = await cluster.apply(resource, obj, force=True)
        done.append(Changed(_called(obj), _result(live, now)))
    kept = {(r, obj["metadata"]["name"]) for r, obj in wanted}
    for resource, obj in await _ours(cluster, setup):
        if (resource, obj["metadata"]["name"]) not in kept:
            done += await _delete(cluster, resource, obj)
    return [*done, *await _existing(cluster, setup)]


async def _existing(cluster: Cluster, setup: Setup) -> list[Changed]:
    """Environments that are there already get what new ones get."""
    config = next(obj for obj in setup_objects.objects(setup) if obj["kind"] == "ConfigMap")
    done = []
    for namespace in await cluster.list(NAMESPACE, selector=f"{MANAGED_BY}=envctl,{PROJECT}"):
        if namespace["metadata"].get("deletionTimestamp"):
            continue
        name, labels = namespace["metadata"]["name"], labels_of(namespace)
        own = {key: labels[key] for key in (MANAGED_BY, PROJECT, NAME) if key in labels}
        for obj in setups.granted(config, name, labels[PROJECT], own):
            live = await cluster.get(ROLE_BINDING, obj["metadata"]["name"], name)
            now = await cluster.apply(ROLE_BINDING, obj, force=True)
            done.append(Changed(f"{_called(obj)} in {name}", _result(live, now)))
    return done


async def remove(cluster: Cluster, setup: Setup) -> list[Changed]:
    """Delete every object of the set-up, rights before limits; the namespace if it is empty."""
    done = []
    for namespace in await cluster.list(NAMESPACE, selector=f"{MANAGED_BY}=envctl,{PROJECT}"):
        for role in setup.roles:
            live = await cluster.get(ROLE_BINDING, role, namespace["metadata"]["name"])
            if live is not None and labels_of(live).get(MANAGED_BY) == "envctl":
                done += await _delete(cluster, ROLE_BINDING, live)
    for resource, obj in await _ours(cluster, setup):
        done += await _delete(cluster, resource, obj)
    return [*done, *await _remove_system_namespace(cluster)]


async def _remove_system_namespace(cluster: Cluster) -> list[Changed]:
    """Another set-up's ConfigMap or any lock keeps it: locks remember the newest pipelines."""
    namespace = await cluster.get(NAMESPACE, SYSTEM_NAMESPACE)
    if namespace is None or labels_of(namespace).get(MANAGED_BY) != "envctl":
        return []
    if namespace["metadata"].get("deletionTimestamp"):
        return []
    if await cluster.list(LEASE, SYSTEM_NAMESPACE, metadata_only=True):
        return []
    if await granting.configs(cluster):
        return []
    return await _delete(cluster, NAMESPACE, namespace)


async def _ours(cluster: Cluster, setup: Setup) -> list[tuple[Resource, Obj]]:
    selector = f"{MANAGED_BY}=envctl,{setups.SETUP}={setup.name}"
    found = []
    for api_version, kind in _KINDS:
        try:
            resource = await cluster.resource(api_version, kind)
        except UnknownKind:  # an older cluster has no policies, so there are none to delete
            continue
        place = SYSTEM_NAMESPACE if resource.namespaced else ""
        found += [(resource, o) for o in await cluster.list(resource, place, selector=selector)]
    return found


async def _delete(cluster: Cluster, resource: Resource, obj: Obj) -> list[Changed]:
    meta = obj["metadata"]
    gone = await cluster.delete(resource, meta["name"], meta.get("namespace", ""), uid=uid_of(obj))
    place = meta.get("namespace", "")
    where = f" in {place}" if place not in ("", SYSTEM_NAMESPACE) else ""
    return [Changed(f"{_called(obj)}{where}", "deleted")] if gone else []


async def _resource(cluster: Cluster, obj: Obj) -> Resource:
    try:
        return await cluster.resource(obj["apiVersion"], obj["kind"])
    except UnknownKind as error:
        raise Refused(
            f"The cluster does not know {obj['kind']}.",
            why="What keeps the accounts inside their environments is an admission policy, which "
            "Kubernetes has since 1.30.",
            next="Upgrade the cluster; nothing was written.",
        ) from error


async def _live(cluster: Cluster, resource: Resource, obj: Obj) -> Obj | None:
    meta = obj["metadata"]
    return await cluster.get(resource, meta["name"], meta.get("namespace", ""))


def _refuse_strangers(live: Obj | None, setup: Setup) -> None:
    if live is None:
        return
    labels = labels_of(live)
    ours = labels.get(MANAGED_BY) == "envctl"
    if live.get("kind") == "Namespace" and (ours or not labels.get(MANAGED_BY)):
        return
    if ours and labels.get(setups.SETUP) == setup.name:
        return
    raise Refused(
        f"{_called(live)} belongs to somebody else.",
        why="It exists without the labels of this set-up, and envctl changes only what is its own.",
        next="Choose another --name, or delete it by hand if it is yours; nothing was written.",
    )


def _result(before: Obj | None, now: Obj) -> str:
    if before is None:
        return "created"
    return "unchanged" if _content(before) == _content(now) else "changed"


def _content(obj: Obj) -> Obj:
    """Without what the server counts and says: a policy's status comes a moment after it."""
    found = {key: value for key, value in obj.items() if key != "status"}
    counted = ("resourceVersion", "managedFields", "generation")
    found["metadata"] = {k: v for k, v in obj["metadata"].items() if k not in counted}
    return found


def _called(obj: Obj) -> str:
    return f"{obj['kind']}/{obj['metadata']['name']}"
