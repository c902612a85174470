"""Kubernetes objects as they are: nested mappings, and the few questions asked of all of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

Obj = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """A kind and where the API serves it: ``/apis/GROUP/VERSION/namespaces/NS/PLURAL``."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """``v1`` or ``apps/v1``, as an object's apiVersion says it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """The URL path of the collection, or of one object in it."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{base}{scope}/{self.plural}" + (f"/{name}" if name else "")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which object: the group and kind without the version, so that a new version is no new one."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def split_api_version(api_version: str) -> tuple[str, str]:
    """Group and version; the core group is empty."""
    group, _, version = api_version.rpartition("/")
    return group, version


def key_of(obj: Obj) -> Key:
    """The key of an object that has kind and name."""
    meta = obj.get("metadata", {})
    group, _ = split_api_version(obj.get("apiVersion", ""))
    return Key(group, obj.get("kind", ""), meta.get("namespace", ""), meta.get("name", ""))


def uid_of(obj: Obj) -> str:
    """The UID that the server gave it, or empty."""
    return str(obj.get("metadata", {}).get("uid", ""))


def labels_of(obj: Obj) -> dict[str, str]:
    """Its labels, never None."""
    return obj.get("metadata", {}).get("labels") or {}


def annotations_of(obj: Obj) -> dict[str, str]:
    """Its annotations, never None."""
    return obj.get("metadata", {}).get("annotations") or {}


def digest(value: Any) -> str:
    """A short SHA-256 over the canonical JSON of a value: same content, same digest."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def pod_specs(obj: Obj) -> list[Obj]:
    """The pod specs inside a workload, wherever its kind keeps them."""
    kind, spec = obj.get("kind"), obj.get("spec") or {}
    if kind == "Pod":
        return [spec] if isinstance(spec, dict) else []
    if kind == "CronJob":
        template = spec.get("jobTemplate") if isinstance(spec, dict) else None
        spec = template.get("spec") if isinstance(template, dict) else None
    template = spec.get("template") if isinstance(spec, dict) else None
    found = template.get("spec") if isinstance(template, dict) else None
    return [found] if isinstance(found, dict) else []


def containers(spec: Obj) -> list[Obj]:
    """All containers of a pod spec, init containers first."""
    lists = (spec.get("initContainers"), spec.get("containers"))
    found = [item for items in lists if isinstance(items, list) for item in items]
    return [item for item in found if isinstance(item, dict)]


def _core(plural: str, kind: str, *, namespaced: bool = True) -> Resource:
    return Resource("", "v1", plural, kind, namespaced)


NAMESPACE = _core("namespaces", "Namespace", namespaced=False)
POD = _core("pods", "Pod")
EVENT = _core("events", "Event")
SECRET = _core("secrets", "Secret")
CONFIG_MAP = _core("configmaps", "ConfigMap")
SERVICE_ACCOUNT = _core("serviceaccounts", "ServiceAccount")
PVC = _core("persistentvolumeclaims", "PersistentVolumeClaim")
PV = _core("persistentvolumes", "PersistentVolume", namespaced=False)
SERVICE = _core("services", "Service")
NODE = _core("nodes", "Node", namespaced=False)
QUOTA = _core("resourcequotas", "ResourceQuota")
LIMIT_RANGE = _core("limitranges", "LimitRange")
DEPLOYMENT = Resource("apps", "v1", "deployments", "Deployment")
STATEFUL_SET = Resource("apps", "v1", "statefulsets", "StatefulSet")
DAEMON_SET = Resource("apps", "v1", "daemonsets", "DaemonSet")
REPLICA_SET = Resource("apps", "v1", "replicasets", "ReplicaSet")
JOB = Resource("batch", "v1", "jobs", "Job")
CRON_JOB = Resource("batch", "v1", "cronjobs", "CronJob")
INGRESS = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
NETWORK_POLICY = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
ROLE = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDING = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
LEASE = Resource("coordination.k8s.io", "v1", "leases", "Lease")
HPA = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
PDB = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
ENDPOINT_SLICE = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
INGRESS_CLASS = Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False)
CRD = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False
)
API_SERVICE = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", False)

#: Kinds that every supported cluster (1.29 and newer) serves under exactly these paths, so that no
#: discovery is needed for what most applications consist of.
WELL_KNOWN: dict[tuple[str, str], Resource] = {
    (r.api_version, r.kind): r
    for r in (
        NAMESPACE, NODE, POD, EVENT, SECRET, CONFIG_MAP, SERVICE_ACCOUNT, PVC, PV, SERVICE, QUOTA,
        LIMIT_RANGE, DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, JOB, CRON_JOB, INGRESS,
        NETWORK_POLICY, ROLE, ROLE_BINDING, LEASE, HPA, PDB, CRD, API_SERVICE, ENDPOINT_SLICE,
        INGRESS_CLASS,
        Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False),
        Resource(
            "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False
        ),
        Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False),
        Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False),
    )
}  # fmt: skip
