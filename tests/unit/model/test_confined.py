from __future__ import annotations

from typing import Any

import pytest

from envctl.model import confined

HOST = "mr-7.preview.example.org"


def obj(kind: str, spec: Any = None, version: str = "v1", **meta: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", **meta}}
    return found if spec is None else {**found, "spec": spec}


def deployment(**pod: Any) -> dict[str, Any]:
    return obj("Deployment", {"template": {"spec": {"containers": [], **pod}}}, "apps/v1")


def ingress(**spec: Any) -> dict[str, Any]:
    return obj("Ingress", spec, "networking.k8s.io/v1")


@pytest.mark.parametrize(
    "found",
    [
        obj("ConfigMap"), obj("Secret"), obj("Service", {"clusterIP": "None"}),
        obj("Secret", annotations={"meta.helm.sh/release-name": "db"}),
        deployment(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", "secret": {}}]),
        obj("Deployment", {"template": {}}, "apps/v1", annotations={"prometheus.io/port": "1"}),
        ingress(rules=[{"host": HOST}], tls=[{"hosts": [HOST]}]),
        obj("HorizontalPodAutoscaler", {}, "autoscaling/v2"), obj("Job", {}, "batch/v1"),
    ],
)  # fmt: skip
def test_what_an_application_is_made_of_may_be(found: dict[str, Any]) -> None:
    assert confined.problem(found, HOST) == ""


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (obj("ExternalSecret", {}, "external-secrets.io/v1"), "ExternalSecret"),
        (obj("SealedSecret", {}, "bitnami.com/v1alpha1"), "SealedSecret"),
        (obj("Secret", {}, "evil.example.org/v1"), "Kubernetes' own kinds"),
        (obj("Role", None, "rbac.authorization.k8s.io/v1"), "Role"),
        (obj("RoleBinding", None, "rbac.authorization.k8s.io/v1"), "RoleBinding"),
        (obj("ClusterRole", None, "rbac.authorization.k8s.io/v1"), "ClusterRole"),
        (obj("NetworkPolicy", {}, "networking.k8s.io/v1"), "open the network"),
        (obj("Service", {"type": "LoadBalancer"}), "LoadBalancer"),
        (obj("Service", {"type": "NodePort"}), "NodePort"),
        (obj("Service", {"type": "ExternalName", "externalName": "db.prod.svc"}), "ExternalName"),
        (obj("Service", {"externalIPs": ["10.0.0.1"]}), "externalIPs"),
        (obj("Secret", annotations={"replicator.example.org/from": "a/b"}), "replicator"),
        (obj("ServiceAccount", annotations={"eks.amazonaws.com/role-arn": "x"}), "role-arn"),
        (obj("Ingress", {}, "networking.k8s.io/v1",
             annotations={"nginx.ingress.kubernetes.io/server-snippet": "x"}), "snippet"),
        ({**obj("Secret"), "type": "kubernetes.io/service-account-token"}, "token"),
        ({**obj("ServiceAccount"), "automountServiceAccountToken": True}, "token"),
        (deployment(automountServiceAccountToken=True), "token"),
        (deployment(volumes=[{"name": "v", "csi": {"driver": "secrets-store.csi.k8s.io"}}]), "CSI"),
        (deployment(volumes=[{"name": "v", "projected": {
            "sources": [{"serviceAccountToken": {"path": "t"}}]}}]), "token"),
        (obj("CronJob", {"jobTemplate": {"spec": {"template": {"spec": {
            "automountServiceAccountToken": True}}}}}, "batch/v1"), "token"),
        (ingress(rules=[{"host": "shop.example.org"}]), "shop.example.org"),
        (ingress(rules=[{}]), "every host"),
        (ingress(defaultBackend={"service": {}}), "every host"),
        (ingress(rules=[{"host": HOST}], tls=[{"hosts": ["x.example.org"]}]), "x.example.org"),
    ],
)  # fmt: skip
def test_what_would_reach_out_may_not(found: dict[str, Any], why: str) -> None:
    assert why in confined.problem(found, HOST)


def test_every_way_to_read_a_secret_is_found() -> None:
    found = deployment(
        volumes=[
            {"name": "a", "secret": {"secretName": "as-files"}},
            {"name": "b", "projected": {"sources": [{"secret": {"name": "projected"}}]}},
            {"name": "c", "configMap": {"name": "no-secret"}},
        ],
        containers=[{"envFrom": [{"secretRef": {"name": "all-of-it"}}]}],
        initContainers=[
            {"env": [{"valueFrom": {"secretKeyRef": {"name": "one-key"}}}, {"value": "plain"}]}
        ],
    )
    assert confined.secrets_read(found) == {"as-files", "projected", "all-of-it", "one-key"}


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        *(("v1", kind) for kind in ("ConfigMap", "PersistentVolumeClaim", "Pod", "Secret",
                                    "Service", "ServiceAccount", "LimitRange", "ResourceQuota")),
        *(("apps/v1", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
        ("autoscaling/v2", "HorizontalPodAutoscaler"), ("batch/v1", "Job"), ("batch/v1", "CronJob"),
        ("networking.k8s.io/v1", "Ingress"), ("policy/v1", "PodDisruptionBudget"),
    ],
)  # fmt: skip
def test_each_kind_that_stays_in_the_namespace_may_be(version: str, kind: str) -> None:
    assert confined.problem(obj(kind, {}, version), HOST) == ""
    for prefix in ("helm.sh/", "meta.helm.sh/", "envctl.dev/", "app.kubernetes.io/"):
        noted = obj(kind, {}, version, annotations={f"{prefix}x": "y"})
        assert confined.problem(noted, HOST) == ""
    assert "only Kubernetes' own kinds" in confined.problem(obj(kind, {}, "x.example/v1"), HOST)


@pytest.mark.parametrize(
    ("version", "kind"),
    [("v1", "ConfigMap"), ("networking.k8s.io/v1", "Ingress"), ("v1", "PersistentVolumeClaim"),
     ("v1", "Secret"), ("v1", "Service"), ("v1", "ServiceAccount")],
)  # fmt: skip
@pytest.mark.parametrize("key", ["example.org/x", "x-helm.sh/y", "kubernetes.io/x"])
def test_no_annotation_that_a_controller_may_obey(version: str, kind: str, key: str) -> None:
    noted = obj(kind, {}, version, annotations={"helm.sh/hook": "test", key: "x"})
    assert f"has the annotation {key}" in confined.problem(noted, HOST)


@pytest.mark.parametrize(
    ("pod", "why"),
    [
        ({"nodeName": "n1"}, "nodeName"),
        ({"tolerations": [{"operator": "Exists"}]}, "tolerates every taint"),
        ({"tolerations": [{"key": "node-role.kubernetes.io/control-plane"}]}, "control-plane"),
        ({"tolerations": [{"key": "gpu"}, {"key": ""}]}, "tolerates every taint"),
        ({"volumes": [{"name": "v", "projected": {"sources": [
            {"configMap": {"name": "c"}}, {"clusterTrustBundle": {"path": "t"}}]}}]}, "a token in"),
        ({"volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "csi": {}}]}, "volume w from"),
        ({"tolerations": [{"key": "gpu"}], "volumes": [{"name": "v", "projected": {
            "sources": [{"secret": {"name": "s"}}]}}]}, ""),
    ],
)  # fmt: skip
def test_what_a_pod_may_not_ask_for(pod: dict[str, Any], why: str) -> None:
    found = confined.problem(deployment(**pod), HOST)
    assert why in found
    assert bool(found) is bool(why)


@pytest.mark.parametrize(
    "driver", ["azureFile", "cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"]
)
def test_a_volume_that_takes_a_secret_by_another_name_counts_as_one(driver: str) -> None:
    found = deployment(volumes=[{"name": "a", driver: {"secretRef": {"name": "theirs"}}}])
    assert confined.secrets_read(found) == {f"of a volume of type {driver}"}


def test_a_tls_host_that_is_no_list_is_read_all_the_same() -> None:
    found = ingress(rules=[{"host": HOST}], tls=[{"hosts": "x.example.org"}, {"hosts": [HOST]}])
    assert "x.example.org" in confined.problem(found, HOST)
    assert confined.problem(ingress(rules=[{"host": HOST}], tls=[{"hosts": HOST}, {}]), HOST) == ""
