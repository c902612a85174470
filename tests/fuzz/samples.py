"""What a target's input looks like when it is right; the fuzzer changes it from there."""

from __future__ import annotations

from typing import Any


def _meta(name: str, uid: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "namespace": "shop-it", "uid": uid, "resourceVersion": "7", "generation": 2,
        "creationTimestamp": "2026-11-25T06:00:00Z", "labels": {"app": "web"},
        "annotations": {"deployment.kubernetes.io/revision": "1"}, **more,
    }  # fmt: skip


def _owned(uid: str, kind: str) -> dict[str, Any]:
    return {"ownerReferences": [{"apiVersion": "v1", "kind": kind, "name": "web", "uid": uid,
                                 "controller": True}]}  # fmt: skip


def _container(**state: Any) -> dict[str, Any]:
    return {"name": "web", "image": "web:1", "containerID": "containerd://1", "ready": False,
            "restartCount": 3, "state": state,
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}  # fmt: skip


_TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {
        "containers": [{"name": "web", "image": "web:1",
                        "envFrom": [{"secretRef": {"name": "keys"}}],
                        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys",
                                                                             "key": "a"}}}]}],
        "volumes": [{"name": "v", "secret": {"secretName": "keys"}},
                    {"name": "p", "projected": {"sources": [{"secret": {"name": "keys"}}]}}],
        "nodeSelector": {"disk": "ssd"},
    },
}  # fmt: skip
_COUNTS = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "readyReplicas": 0,
           "availableReplicas": 0}  # fmt: skip
_CONDITIONS = [
    {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": "at it"},
    {"type": "Available", "status": "False", "reason": "Minimum", "message": "not yet"},
    {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "[web]"},
    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"},
]
POD = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": _meta("web-1-a", "u3", **_owned("u2", "ReplicaSet")), "spec": _TEMPLATE["spec"],
    "status": {
        "phase": "Pending", "reason": "Evicted", "message": "low on memory",
        "conditions": _CONDITIONS,
        "initContainerStatuses": [_container(terminated={"exitCode": 137, "reason": "OOMKilled",
                                                         "message": "orders=3"})],
        "containerStatuses": [_container(waiting={"reason": "ImagePullBackOff",
                                                  "message": "not found"})],
    },
}  # fmt: skip
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta("web", "u1"),
              "spec": {"replicas": 2, "paused": False, "template": _TEMPLATE,
                       "selector": {"matchLabels": {"app": "web"}}},
              "status": {**_COUNTS, "conditions": _CONDITIONS}}  # fmt: skip
REPLICA_SET = {
               "apiVersion": "apps/v1", "kind": "ReplicaSet",
               "metadata": _meta("web-1", "u2", **_owned("u1", "Deployment")),
               "spec": {"replicas": 2}, "status": {**_COUNTS, "conditions": _CONDITIONS},
}  # fmt: skip
EVENT = {"apiVersion": "v1", "kind": "Event", "metadata": _meta("web.1", "u9"), "type": "Warning",
         "reason": "FailedCreate", "message": 'pods "web-" is forbidden: exceeded quota: q',
         "count": 4, "lastTimestamp": "2026-11-25T06:00:00Z", "series": {"count": 2},
         "involvedObject": {"kind": "ReplicaSet", "name": "web-1", "uid": "u2",
                            "fieldPath": "spec.containers{web}"}}  # fmt: skip
_OTHERS = (
    ("apps/v1", "StatefulSet", {"replicas": 2, "template": _TEMPLATE,
                                "updateStrategy": {"type": "RollingUpdate",
                                                   "rollingUpdate": {"partition": 1}}},
     {**_COUNTS, "currentRevision": "a", "updateRevision": "b"}),
    ("apps/v1", "DaemonSet", {"template": _TEMPLATE},
     {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1}),
    ("batch/v1", "Job", {"completions": 2, "template": _TEMPLATE},
     {"failed": 1, "conditions": [{"type": "FailureTarget", "status": "True", "reason": "B"}]}),
    ("v1", "PersistentVolumeClaim", {"storageClassName": "x"}, {"phase": "Pending"}),
    ("v1", "Service", {"type": "LoadBalancer", "selector": {"app": "web"}},
     {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}),
    ("networking.k8s.io/v1", "Ingress",
     {"rules": [{"host": "a.localhost"}, {"http": {}}], "tls": [{"hosts": ["a.localhost"]}]},
     {"loadBalancer": {"ingress": [{"hostname": "lb"}]}}),
    ("v1", "ResourceQuota", {"hard": {"pods": "4"}},
     {"hard": {"pods": "4"}, "used": {"pods": "4"}}),
    ("coordination.k8s.io/v1", "Lease",
     {"holderIdentity": "run", "leaseDurationSeconds": 15, "renewTime": "2026-11-25T06:00:00Z"},
     {}),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"group": "a.b"},
     {"conditions": [{"type": "NamesAccepted", "status": "False", "reason": "Taken"}]}),
    ("apiregistration.k8s.io/v1", "APIService", {"service": {"name": "a", "namespace": "b"}},
     {"conditions": [{"type": "Available", "status": "False", "message": "down"}]}),
    ("example.org/v1", "Widget", {"size": 3},
     {"observedGeneration": 1, "conditions": [{"type": "Stalled", "status": "True"}]}),
    ("v1", "Namespace", {"finalizers": ["kubernetes"]},
     {"phase": "Terminating", "conditions": _CONDITIONS}),
)  # fmt: skip
OBJECTS: list[dict[str, Any]] = [
    POD, DEPLOYMENT, REPLICA_SET,
    *({"apiVersion": version, "kind": kind, "metadata": _meta(kind.lower(), "u1"), "spec": spec,
       "status": status} for version, kind, spec, status in _OTHERS),
]  # fmt: skip
LEASE = next(obj for obj in OBJECTS if obj["kind"] == "Lease")
CONFIG: dict[str, Any] = {
    "apiVersion": "envctl.dev/v1", "project": "shop",
    "cluster": {"context": "envctl-local", "allowed": ["envctl-local", "kind-*"]},
    "environment": {
        "host": "${name}.preview.example.org", "isolation": "namespace",
        "lifetime": {"ttl": "72h", "idle": "2h", "max": "14d"},
        "quota": {"requests.cpu": "4", "pods": "60"},
        "access": {"egress": ["dns", "same-environment"]},
    },
    "images": {"api": "registry.example.org/shop/api:${commit}"},
    "components": [
        {"name": "db", "helm": {"chart": "chart", "values": ["values.yaml", {"a": "${name}"}]},
         "timeout": "4m"},
        {"name": "api", "needs": ["db"], "kustomize": "overlay",
         "images": {"shop/api": "${image.api}"}},
        {"name": "web", "needs": ["api"], "manifests": ["web/*.yaml"]},
        {"name": "migrate", "needs": ["db"], "job": "job.yaml"},
    ],
    "checks": [{"name": "smoke", "job": "job.yaml", "timeout": "2m"}],
}  # fmt: skip
KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Config", "current-context": "a",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1",
                                           "certificate-authority-data": "QQ=="}}],
    "users": [{"name": "u", "user": {"token": "t", "as": "somebody"}}],
    "contexts": [{"name": "a", "context": {
        "cluster": "c", "user": "u", "namespace": "n",
        "extensions": [{"name": "envctl.dev/ingress", "extension": {"url": "http://127.0.0.1"}}],
    }}],
}  # fmt: skip
STATUS: dict[str, Any] = {
    "kind": "Status", "code": 409, "reason": "Conflict", "message": "Apply failed",
    "details": {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.replicas",
                            "message": 'conflict with "hpa" using apps/v1'}]},
}  # fmt: skip
DISCOVERY: dict[str, Any] = {
    "items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
        {"resource": "deployments", "scope": "Namespaced", "verbs": ["patch"],
         "responseKind": {"kind": "Deployment"}}]}]}],
}  # fmt: skip
PULL: dict[str, Any] = {
    "number": 7, "iid": 7, "project_id": 3, "state": "open", "merged": False,
    "html_url": "https://git.example/shop/pulls/7", "web_url": "https://git.example/shop/7",
    "head": {"ref": "fix", "sha": "8f3a"}, "base": {"ref": "main"}, "source_branch": "fix",
    "target_branch": "main", "sha": "8f3a", "message": {"base": ["no"]}, "error": "e",
}  # fmt: skip
RECORD = {
    "metadata": {"name": "envctl-record"},
    "data": {
        "component.web": '{"type":"manifests","digest":"d","complete":true,"objects":'
        '[["v1","ConfigMap","configmaps",true,"shop-it","a","u1","x","y"]]}',
        "check.smoke": '{"digest":"d","passed":true,"seconds":1.5,"metrics":{"a":1}}',
    },
}
