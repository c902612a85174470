"""What an object may be in a confined environment, one whose author nobody has vouched for.

The namespace's own walls (network policy, quota, Pod Security) hold what runs inside of it. What is
refused here would have somebody outside act for the author: a controller that fetches a secret or
opens a load balancer because an object or an annotation asks it to, the kubelet that mounts a
token, a Secret that an operator puts into every namespace. So kinds are listed that may be, not
kinds that may not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.objects import Obj, containers, pod_specs
from envctl.model.shapes import mapping, mappings

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    "": {"ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount",
         "LimitRange", "ResourceQuota"},
    "apps": {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"},
    "autoscaling": {"HorizontalPodAutoscaler"},
    "batch": {"Job", "CronJob"},
    "networking.k8s.io": {"Ingress", "NetworkPolicy"},
    "policy": {"PodDisruptionBudget"},
}  # fmt: skip
#: Kinds whose annotations controllers of the cluster obey, and annotations that none does.
_OBEYED = {"ConfigMap", "Ingress", "PersistentVolumeClaim", "Secret", "Service", "ServiceAccount"}
_HARMLESS = ("helm.sh/", "meta.helm.sh/", "envctl.dev/", "app.kubernetes.io/")


def problem(obj: Obj, host: str) -> str:
    """Why the object may not be, as the second half of a sentence; empty where it may.

    ``host`` is the environment's own, the only one that an Ingress may answer for.
    """
    group = obj["apiVersion"].rpartition("/")[0]
    kind = obj["kind"]
    if kind not in KINDS.get(group, ()):
        return f"is a {kind}, and only Kubernetes' own kinds that stay in the namespace may be used"
    if found := next((p for p in _special(obj, host) if p), ""):
        return found
    return next((p for spec in pod_specs(obj) for p in _pod(spec)), "")


def _special(obj: Obj, host: str) -> Iterator[str]:
    kind, spec = obj["kind"], mapping(obj.get("spec"))
    for key in obj["metadata"].get("annotations") or {}:
        if kind in _OBEYED and not key.startswith(_HARMLESS):
            yield f"has the annotation {key}, which a controller of the cluster may obey"
    if kind == "Secret" and str(obj.get("type", "")).startswith("kubernetes.io/service-account"):
        yield "asks for a token of a service account"
    if kind == "ServiceAccount" and obj.get("automountServiceAccountToken"):
        yield "has its token mounted into pods"
    if kind == "Service" and spec.get("type", "ClusterIP") != "ClusterIP":
        yield f"is of type {spec['type']}, which reaches out of the namespace"
    if kind == "Service" and spec.get("externalIPs"):
        yield "takes addresses outside of the namespace (externalIPs)"
    if kind == "NetworkPolicy":
        yield "would open the network, which is closed"
    if kind == "Ingress":
        yield from _ingress(spec, host)


def _ingress(spec: Obj, host: str) -> Iterator[str]:
    hosts = {str(rule.get("host", "")) for rule in mappings(spec.get("rules"))}
    for tls in mappings(spec.get("tls")):
        named = tls.get("hosts") or []
        hosts |= set(map(str, named if isinstance(named, list) else [named]))
    if foreign := sorted(hosts - {host}):
        yield f"answers for {foreign[0] or 'every host'}, which is not the environment's host"
    if spec.get("defaultBackend"):
        yield "answers for every host (defaultBackend)"


def _pod(spec: Obj) -> Iterator[str]:
    if spec.get("automountServiceAccountToken"):
        yield "has a token of a service account mounted"
    if spec.get("nodeName"):
        yield "chooses its node past the scheduler (nodeName)"
    for toleration in mappings(spec.get("tolerations")):
        key = str(toleration.get("key") or "")
        if not key or key.startswith("node-role.kubernetes.io/"):
            yield f"tolerates {key or 'every taint'}, and with it nodes that are not for it"
    for volume in mappings(spec.get("volumes")):
        if "csi" in volume:
            yield f"mounts the volume {volume.get('name')} from a CSI driver"
        for source in mappings(mapping(volume.get("projected")).get("sources")):
            if "serviceAccountToken" in source or "clusterTrustBundle" in source:
                yield f"mounts a token in the volume {volume.get('name')}"


def secrets_read(obj: Obj) -> set[str]:
    """The names of the Secrets that the pods of the object read, as files or as variables."""
    return {name for spec in pod_specs(obj) for name in _secrets(spec) if name}


def _secrets(spec: Obj) -> Iterator[str]:
    for volume in mappings(spec.get("volumes")):
        yield str(mapping(volume.get("secret")).get("secretName", ""))
        for source in mappings(mapping(volume.get("projected")).get("sources")):
            yield str(mapping(source.get("secret")).get("name", ""))
        for driver in ("azureFile", "cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"):
            if driver in volume:  # Pod Security refuses them, too; they take Secrets by other names
                yield f"of a volume of type {driver}"
    for container in containers(spec):
        for source in mappings(container.get("envFrom")):
            yield str(mapping(source.get("secretRef")).get("name", ""))
        for variable in mappings(container.get("env")):
            reference = mapping(variable.get("valueFrom")).get("secretKeyRef")
            yield str(mapping(reference).get("name", ""))
