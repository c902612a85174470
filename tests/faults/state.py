"""What an environment is, without what differs between two undisturbed runs of the same.

The whole list of what is left out, each with its reason:

- what the server counts or stamps: UIDs, versions, generations, times, managed fields, status,
  cluster addresses, the selector and labels that the job controller derives from a Job's UID;
- names of the project and so of the namespace, since each run has its own; digests of inputs,
  which those names are part of;
- Helm's revision numbers and times: of a release counts the newest revision, in what state it is,
  and what it holds;
- in envctl's record the UIDs; instead it says whether they are those of the live objects;
- in the lock its times and how often it changed hands; that nobody holds it is compared, as long
  as there is an environment: the lock outlives it only to refuse older pipelines, and a dead
  run's is taken over from it by the next, after the time that is the slowest recovery here;
- the moments of last use and expiry; that they are set is compared.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.proxy import Upstream

_KINDS = (
    "/api/v1:configmaps", "/api/v1:secrets", "/api/v1:services", "/api/v1:serviceaccounts",
    "/api/v1:persistentvolumeclaims", "/api/v1:resourcequotas", "/api/v1:limitranges",
    "/apis/apps/v1:deployments", "/apis/batch/v1:jobs",
    "/apis/networking.k8s.io/v1:networkpolicies",
    "/apis/rbac.authorization.k8s.io/v1:roles", "/apis/rbac.authorization.k8s.io/v1:rolebindings",
)  # fmt: skip
_SERVERS = (
    "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences",
)  # fmt: skip
_STAMPS = ("envctl.dev/last-used-at", "envctl.dev/expires-at", "envctl.dev/deleted-at")
_LEFT_OUT = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied")

State = dict[str, Any]


async def read(cluster: Upstream, namespace: str, word: str) -> State:
    """The normalised state of one environment; ``word`` is the name that stands for it."""
    lists, space, lease = await asyncio.gather(
        asyncio.gather(*(_list(cluster, kind, namespace) for kind in _KINDS)),
        cluster.call("GET", f"/api/v1/namespaces/{namespace}"),
        cluster.call("GET", _lease_path(namespace)),
    )
    objects = [obj for found in lists for obj in found]
    uids = {obj["metadata"]["uid"] for obj in objects}
    state: State = {}
    releases: dict[str, dict[str, Any]] = {}
    for obj in objects:
        name = obj["metadata"]["name"]
        if name == "kube-root-ca.crt":
            continue
        if obj.get("type") == "helm.sh/release.v1":
            labels = obj["metadata"]["labels"]
            known = releases.get(labels["name"])
            if known is None or _version(obj) > _version(known):
                releases[labels["name"]] = obj
        elif name == "envctl-record":
            state["Record"] = _record(obj, uids)
        else:
            state[f"{obj['kind']}/{name}"] = _object(obj)
    state |= {f"Release/{name}": _release(obj) for name, obj in releases.items()}
    state["Namespace"] = _object(space) if space else None
    state["Lock"] = _lock(lease, of_nothing=space is None) if lease else None
    renamed: State = json.loads(json.dumps(state).replace(word, "WORD"))
    return renamed


async def kept(cluster: Upstream, namespace: str) -> dict[str, str]:
    """Claims that hold data, by name; the value is the UID, which must never change."""
    found = await _list(cluster, "/api/v1:persistentvolumeclaims", namespace)
    return {obj["metadata"]["name"]: obj["metadata"]["uid"] for obj in found}


def difference(wanted: State, found: State) -> list[str]:
    """Where two states differ, in words, a few at most."""
    said = [f"{key} is missing" for key in sorted(wanted.keys() - found.keys())]
    said += [f"{key} is left over" for key in sorted(found.keys() - wanted.keys())]
    for key in sorted(wanted.keys() & found.keys()):
        if wanted[key] != found[key]:
            said.append(f"{key} differs: {_first(wanted[key], found[key])}")
    return said[:8]


def _first(wanted: Any, found: Any, path: str = "") -> str:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted(wanted.keys() | found.keys()):
            if wanted.get(key) != found.get(key):
                return _first(wanted.get(key), found.get(key), f"{path}.{key}")
    return f"{path}: {json.dumps(found)[:120]} instead of {json.dumps(wanted)[:120]}"


def _lease_path(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/envctl-system/leases/{namespace}"


async def _list(cluster: Upstream, kind: str, namespace: str) -> list[dict[str, Any]]:
    group, plural = kind.split(":")
    found = await cluster.call("GET", f"{group}/namespaces/{namespace}/{plural}")
    word = found["kind"].removesuffix("List")
    return [{**item, "kind": word} for item in found["items"]]


def _object(obj: dict[str, Any]) -> dict[str, Any]:
    found = {k: v for k, v in obj.items() if k not in ("status", "apiVersion")}
    meta = {k: v for k, v in obj["metadata"].items() if k not in _SERVERS}
    notes = {
        key: "set" if key in _STAMPS else value
        for key, value in (meta.pop("annotations", None) or {}).items()
        if not key.startswith(_LEFT_OUT)
    }
    if "envctl.dev/digest" in notes:
        notes["envctl.dev/digest"] = "set"
    found["metadata"] = {**meta, "annotations": notes}
    if obj["kind"] == "Service":
        found["spec"] = {k: v for k, v in obj["spec"].items() if not k.startswith("clusterIP")}
    if obj["kind"] == "Job":
        template = {"spec": obj["spec"]["template"]["spec"]}
        kept = {k: v for k, v in obj["spec"].items() if k != "selector"}
        found["spec"] = {**kept, "template": template}
        found["ended"] = bool((obj.get("status") or {}).get("completionTime"))
    return found


def _version(secret: dict[str, Any]) -> int:
    return int(secret["metadata"]["labels"]["version"])


def _release(secret: dict[str, Any]) -> dict[str, Any]:
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    body = json.loads(gzip.decompress(packed))
    return {
        "status": secret["metadata"]["labels"]["status"],
        "manifest": body["manifest"],
        "config": body.get("config"),
        "chart": body["chart"]["metadata"],
        "hooks": sorted(hook["name"] for hook in body.get("hooks") or []),
    }


def _record(obj: dict[str, Any], uids: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, text in obj["data"].items():
        value = json.loads(text)
        value["digest"] = bool(value["digest"])
        value.pop("seconds", None)
        if "objects" in value:
            entries = [[*item[:6], "live" if item[6] in uids else item[6]]
                       for item in value["objects"]]  # fmt: skip
            value["objects"] = sorted(entries)
        found[key] = value
    return found


def _lock(lease: dict[str, Any], *, of_nothing: bool) -> dict[str, Any]:
    notes = lease["metadata"].get("annotations") or {}
    if of_nothing:
        return {"labels": lease["metadata"].get("labels")}
    return {
        "holder": (lease.get("spec") or {}).get("holderIdentity") or "",
        "labels": lease["metadata"].get("labels"),
        "annotations": {k: "set" if k in _STAMPS else v for k, v in notes.items()},
    }
