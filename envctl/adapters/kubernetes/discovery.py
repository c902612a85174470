"""What kinds a cluster serves, in two requests (aggregated discovery, Kubernetes 1.30 on)."""

from __future__ import annotations

import contextlib
import difflib
from typing import TYPE_CHECKING, Any

from envctl.errors import EnvctlError
from envctl.model import apiservices
from envctl.model.objects import API_SERVICE, Obj, Resource
from envctl.model.shapes import mapping, mappings
from envctl.ports.cluster import ApiDown, UnknownKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envctl.adapters.kubernetes.cluster import KubernetesCluster

_ACCEPT = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
)
Kinds = dict[tuple[str, str], Resource]


async def discover(cluster: KubernetesCluster) -> Kinds:
    """Every kind by apiVersion and kind; stale groups (a dead APIService) are left out."""
    found: Kinds = {}
    for root in ("/api", "/apis"):
        answer = await cluster.ask("GET", root, "list its kinds", accept=_ACCEPT)
        for resource in _resources(answer):
            found.setdefault((resource.api_version, resource.kind), resource)
    return found


def _resources(answer: Any) -> Iterator[Resource]:
    for item in mappings(mapping(answer).get("items")):
        group = mapping(item.get("metadata")).get("name", "")
        for version in mappings(item.get("versions")):
            for entry in mappings(version.get("resources")):
                kind = mapping(entry.get("responseKind")).get("kind")
                served = version.get("version"), entry.get("resource"), kind
                verbs = entry.get("verbs")
                patched = isinstance(verbs, list) and "patch" in verbs
                if patched and all(isinstance(name, str) for name in (group, *served)):
                    path, plural, kind = map(str, served)
                    yield Resource(group, path, plural, kind, entry.get("scope") == "Namespaced")


async def refuse_dead(cluster: KubernetesCluster, api_version: str) -> None:
    """Raise ApiDown where an APIService should serve this group and version, and does not."""
    group, _, version = api_version.rpartition("/")
    found: list[Obj] = []
    with contextlib.suppress(EnvctlError):  # who may not see them is told of the kind alone
        found = await cluster.list(API_SERVICE)
    for service in found:
        if service["metadata"]["name"] == f"{version}.{group}" and apiservices.is_dead(service):
            raise dead(service)


def dead(service: Obj) -> ApiDown:
    """The error for a kind behind an APIService that is not available."""
    name = service["metadata"]["name"]
    where = apiservices.behind(service)
    return ApiDown(
        f"APIService/{name} is not available.",
        why=f"{where} should serve it: {apiservices.why(service).rstrip('.')}.",
        next=f"Start what serves it ({where}), or have an administrator delete it where nothing "
        f"needs it: kubectl delete apiservice {name}.",
    )


def unknown(api_version: str, kind: str, known: Kinds) -> UnknownKind:
    """The error for a kind that is not served, with the nearest that is."""
    same = sorted(version for version, name in known if name == kind)
    near = difflib.get_close_matches(kind, {name for _, name in known}, n=1)
    if same:
        next_step = f"Write apiVersion: {same[0]}, or install the CRD that the object needs."
    elif near:
        next_step = f"Did you mean {near[0]!r}? Else install the CRD that the object needs."
    else:
        next_step = "Install the CRD that the object needs, or deploy to a cluster that has it."
    return UnknownKind(
        f"The cluster has no kind {kind!r} in {api_version!r}.",
        why="Neither the API server nor a CustomResourceDefinition serves it.",
        next=next_step,
    )
