"""An object as the core may rely on it, whatever an API server, or what stands before it, has sent.

Fields that rules read and that are not of the kind that Kubernetes' API gives them are left out, as
if they had not been sent: a rule then says that it still waits, and none falls over. A server is
free to send more than is listed here, and a newer one will.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from envctl.model.objects import Obj, Resource

#: ``str`` for a text, ``int`` for a whole number, ``[shape]`` for a list and ``{field: shape}`` for
#: a mapping, whose key ``*`` stands for every field.
Shape: TypeAlias = "type | list[Shape] | dict[str, Shape]"

_TEXTS: Shape = {"*": str}
_COUNTS = ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas",
           "availableReplicas", "currentReplicas", "unavailableReplicas")  # fmt: skip
_DAEMONS = ("observedGeneration", "desiredNumberScheduled", "currentNumberScheduled",
            "updatedNumberScheduled", "numberReady", "numberAvailable")  # fmt: skip
_JOBS = ("active", "succeeded", "failed", "ready", "terminating")
_CONDITION: Shape = {"type": str, "status": str, "reason": str, "message": str,
                     "lastTransitionTime": str, "observedGeneration": int}  # fmt: skip
_REFERENCE: Shape = {"apiVersion": str, "kind": str, "name": str, "namespace": str, "uid": str,
                     "fieldPath": str}  # fmt: skip
_META: Shape = {
    "name": str, "namespace": str, "generateName": str, "uid": str, "resourceVersion": str,
    "creationTimestamp": str, "deletionTimestamp": str, "generation": int,
    "deletionGracePeriodSeconds": int, "labels": _TEXTS, "annotations": _TEXTS,
    "finalizers": [str],
    "ownerReferences": [{"apiVersion": str, "kind": str, "name": str, "uid": str,
                         "controller": bool}],
    "managedFields": [{"manager": str, "operation": str, "subresource": str, "apiVersion": str,
                       "time": str, "fieldsV1": {}}],
}  # fmt: skip
_STATE: Shape = {
    "waiting": {"reason": str, "message": str},
    "running": {"startedAt": str},
    "terminated": {"exitCode": int, "signal": int, "reason": str, "message": str,
                   "startedAt": str, "finishedAt": str, "containerID": str},
}  # fmt: skip
_CONTAINERS: Shape = [
    {"name": str, "image": str, "imageID": str, "containerID": str, "ready": bool,
     "started": bool, "restartCount": int, "state": _STATE, "lastState": _STATE}
]  # fmt: skip
_KEY: Shape = {"name": str, "key": str, "optional": bool}
_SECRETS: Shape = {"secretName": str, "name": str, "optional": bool}
_PROBE: Shape = {"httpGet": {"path": str, "scheme": str}, "tcpSocket": {},
                 "exec": {"command": [str]},
                 "initialDelaySeconds": int, "periodSeconds": int, "failureThreshold": int,
                 "successThreshold": int, "timeoutSeconds": int}  # fmt: skip
_CONTAINER: Shape = {
    "name": str, "image": str, "imagePullPolicy": str, "command": [str], "args": [str],
    "restartPolicy": str, "ports": [{"name": str, "containerPort": int, "protocol": str}],
    "env": [{"name": str, "value": str,
             "valueFrom": {"secretKeyRef": _KEY, "configMapKeyRef": _KEY}}],
    "envFrom": [{"secretRef": _KEY, "configMapRef": _KEY}],
    "resources": {"limits": {}, "requests": {}},
    "volumeMounts": [{"name": str, "mountPath": str}],
    "readinessProbe": _PROBE, "livenessProbe": _PROBE, "startupProbe": _PROBE,
    "securityContext": {},
}  # fmt: skip
_POD_SPEC: Shape = {
    "nodeName": str, "restartPolicy": str, "serviceAccountName": str, "schedulerName": str,
    "nodeSelector": _TEXTS, "securityContext": {}, "tolerations": [{}],
    "containers": [_CONTAINER], "initContainers": [_CONTAINER],
    "imagePullSecrets": [{"name": str}],
    "volumes": [{"name": str, "secret": _SECRETS, "configMap": _SECRETS,
                 "persistentVolumeClaim": {"claimName": str},
                 "projected": {"sources": [{"secret": _SECRETS, "configMap": _SECRETS}]}}],
}  # fmt: skip
_TEMPLATE: Shape = {"metadata": _META, "spec": _POD_SPEC}
_SELECTOR: Shape = {"matchLabels": _TEXTS, "matchExpressions": [{}]}


def _counts(names: tuple[str, ...]) -> dict[str, Shape]:
    return {"conditions": [_CONDITION], **dict.fromkeys(names, int)}


def _workload(status: Shape, **spec: Shape) -> dict[str, Shape]:
    return {"spec": {"template": _TEMPLATE, "selector": _SELECTOR, **spec}, "status": status}


_REVISIONS: Shape = {**_counts(_COUNTS), "currentRevision": str, "updateRevision": str}
_UPDATE: Shape = {"type": str, "rollingUpdate": {"partition": int}}
_BALANCER: Shape = {"ingress": [{"hostname": str, "ip": str}]}
_CONDITIONS: Shape = {"conditions": [_CONDITION]}
#: Beside the metadata, by kind; a kind of somebody's own may have anything in its status.
_KINDS: dict[str, dict[str, Shape]] = {
    "Pod": {
        "spec": _POD_SPEC,
        "status": {"phase": str, "reason": str, "message": str, "podIP": str, "hostIP": str,
                   "startTime": str, "conditions": [_CONDITION],
                   "initContainerStatuses": _CONTAINERS, "containerStatuses": _CONTAINERS,
                   "ephemeralContainerStatuses": _CONTAINERS},
    },
    "Deployment": _workload(_counts(_COUNTS), replicas=int, paused=bool,
                            progressDeadlineSeconds=int),
    "StatefulSet": _workload(_REVISIONS, replicas=int, updateStrategy=_UPDATE, serviceName=str),
    "DaemonSet": _workload(_counts(_DAEMONS), updateStrategy=_UPDATE),
    "ReplicaSet": _workload(_counts(_COUNTS), replicas=int),
    "ReplicationController": {"spec": {"replicas": int}, "status": _counts(_COUNTS)},
    "Job": _workload(_counts(_JOBS), completions=int, parallelism=int, backoffLimit=int,
                     suspend=bool, activeDeadlineSeconds=int),
    "PersistentVolumeClaim": {
        "spec": {"storageClassName": str, "volumeName": str, "accessModes": [str]},
        "status": {"phase": str, "conditions": [_CONDITION]},
    },
    "PersistentVolume": {"spec": {"claimRef": _REFERENCE, "storageClassName": str},
                         "status": {"phase": str, "reason": str, "message": str}},
    "StorageClass": {"provisioner": str, "volumeBindingMode": str},
    "Service": {
        "spec": {"type": str, "clusterIP": str, "selector": _TEXTS, "externalName": str,
                 "ports": [{"name": str, "port": int, "protocol": str}]},
        "status": {"loadBalancer": _BALANCER, "conditions": [_CONDITION]},
    },
    "EndpointSlice": {
        "endpoints": [{"addresses": [str], "conditions": {"ready": bool}, "targetRef": _REFERENCE}],
        "ports": [{"name": str, "port": int}],
    },
    "Ingress": {
        "spec": {"ingressClassName": str, "defaultBackend": {}, "tls": [{"hosts": [str]}],
                 "rules": [{"host": str, "http": {"paths": [{}]}}]},
        "status": {"loadBalancer": _BALANCER},
    },
    "Event": {
        "type": str, "reason": str, "message": str, "note": str, "count": int,
        "firstTimestamp": str, "lastTimestamp": str, "eventTime": str,
        "involvedObject": _REFERENCE, "series": {"count": int, "lastObservedTime": str},
        "source": {"component": str, "host": str}, "reportingComponent": str,
    },
    "Namespace": {"status": {"phase": str, "conditions": [_CONDITION]},
                  "spec": {"finalizers": [str]}},
    "Node": {"spec": {"unschedulable": bool, "taints": [{"key": str, "effect": str}]},
             "status": _CONDITIONS},
    "ResourceQuota": {"spec": {"hard": _TEXTS}, "status": {"hard": _TEXTS, "used": _TEXTS}},
    "Secret": {"type": str, "data": _TEXTS},
    "ConfigMap": {"data": _TEXTS, "binaryData": _TEXTS},
    "Lease": {"spec": {"holderIdentity": str, "leaseDurationSeconds": int, "acquireTime": str,
                       "renewTime": str, "leaseTransitions": int}},
    "CustomResourceDefinition": {
        "spec": {"group": str, "scope": str, "names": {"kind": str, "plural": str}},
        "status": _CONDITIONS,
    },
    "APIService": {"spec": {"group": str, "version": str,
                            "service": {"name": str, "namespace": str}},
                   "status": _CONDITIONS},
    "HorizontalPodAutoscaler": {"spec": {"scaleTargetRef": _REFERENCE}, "status": _CONDITIONS},
}  # fmt: skip
_NOTHING = object()
_MOST = 2**63


def sound(obj: Any, resource: Resource) -> Obj:
    """``obj``, as the server sent it for ``resource``, without what is not of its kind's shape.

    It is changed in place; what is no mapping at all becomes an object without a name.
    """
    found: Obj = obj if isinstance(obj, dict) else {}
    shape: dict[str, Shape] = {"apiVersion": str, "metadata": _META}
    _fitted(found, shape | _KINDS.get(resource.kind, {}))
    found.setdefault("apiVersion", resource.api_version)
    found["kind"] = resource.kind  # which the items of a list do not say
    found.setdefault("metadata", {}).setdefault("name", "")
    if resource.kind == "Event":
        found.setdefault("involvedObject", {})
    return found


def mapping(value: Any) -> dict[str, Any]:
    """``value`` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings in ``value``, if it is a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _fitted(value: Any, shape: Shape) -> Any:
    """``value``, or what of it fits; ``_NOTHING`` where it is of another kind altogether."""
    if isinstance(shape, list):
        return _list(value, shape[0])
    if isinstance(shape, dict):
        return _mapping(value, shape)
    fits = _whole(value) if shape is int else isinstance(value, shape)
    return value if fits else _NOTHING


def _whole(value: Any) -> bool:
    """Whether it is a number that Kubernetes could count: JSON writes larger ones, too."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST


def _list(value: Any, shape: Shape) -> Any:
    if not isinstance(value, list):
        return _NOTHING
    found = [_fitted(item, shape) for item in value]
    return [item for item in found if item is not _NOTHING]


def _mapping(value: Any, shape: dict[str, Shape]) -> Any:
    if not isinstance(value, dict):
        return _NOTHING
    for key in list(value) if "*" in shape else [key for key in shape if key in value]:
        found = _fitted(value[key], shape.get("*") or shape[key])
        if found is _NOTHING:
            del value[key]
        else:
            value[key] = found
    return value
