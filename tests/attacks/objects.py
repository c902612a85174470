"""Attacks by the objects of a merge request: the cluster, the node, the network."""

from __future__ import annotations

from tests.attacks.attack import CONFINED, Attack
from tests.attacks.files import FORK, MR

_FILES = "  - {name: a, manifests: [deploy/a.yaml], timeout: 60s}\n"
_CHART = "{apiVersion: v2, name: a, version: 1.0.0}\n"
_ADMIN = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\n"
    "metadata: {name: PROJECT-grab}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
    "subjects: [{kind: ServiceAccount, name: default, namespace: PROJECT-it}]\n"
)
_OUTSIDE = "lies outside the namespace"


def _map(meta: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{{meta}}}\n"


def _object(name: str, by: str, says: str, text: str, *, code: int = 77, **more: object) -> Attack:
    return Attack(name, by, code, says, files={"deploy/a.yaml": text}, components=_FILES,
                  **more)  # type: ignore[arg-type]  # fmt: skip


def _chart(name: str, says: str, text: str, **more: object) -> Attack:
    return Attack(name, "compromised chart", 77, says, components=(
        "  - {name: a, helm: {chart: chart}, timeout: 60s}\n"),
        files={"chart/Chart.yaml": _CHART, "chart/templates/a.yaml": text},
        **more)  # type: ignore[arg-type]  # fmt: skip


def _fork(name: str, says: str, text: str, **more: object) -> Attack:
    return _object(name, FORK, says, text, env=CONFINED, **more)


def _kind(version: str, kind: str, rest: str = "", meta: str = "name: a") -> str:
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{{meta}}}\n{rest}"


def _pod(spec: str, container: str = "") -> str:
    return _kind("v1", "Pod", "spec: {" + spec + "containers: [{name: a, "
                 f"image: 'docker.io/envctl/pause:1'{container}}}]}}\n")  # fmt: skip


REACHING_OUT = [
    _object("a manifest for another namespace", MR, "names the namespace 'kube-system'",
            _map("name: a, namespace: kube-system")),
    _chart("a chart's object for another namespace", "names the namespace 'kube-system'",
           _map("name: a, namespace: kube-system")),
    Attack("a kustomization for another namespace", MR, 77, "names the namespace 'kube-system'",
           components="  - {name: k, kustomize: kust}\n",
           files={"kust/kustomization.yaml": "namespace: kube-system\nresources: [a.yaml]\n",
                  "kust/a.yaml": _map("name: a")}),
    _object("a ClusterRoleBinding", MR, _OUTSIDE, _ADMIN),
    _object("one that envctl.yaml allows itself", MR, _OUTSIDE, _ADMIN,
            environment="{clusterScoped: [ClusterRoleBinding]}"),
    _chart("a ClusterRoleBinding as a chart's hook", _OUTSIDE,
           _ADMIN.replace("-grab}", "-grab, annotations: {helm.sh/hook: pre-install}}")),
    _object("a List with a ClusterRoleBinding in it", MR, _OUTSIDE,
            "apiVersion: v1\nkind: List\nitems:\n- " + _ADMIN.strip().replace("\n", "\n  ") + "\n"),
    _object("a Namespace of its own", MR, _OUTSIDE, _kind("v1", "Namespace")),
    _object("a webhook", MR, _OUTSIDE,
            _kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")),
    _object("a volume on the node's disk", MR, _OUTSIDE, _kind("v1", "PersistentVolume")),
    _object("a name that leads elsewhere in the API's path", MR, "which is none",
            _map("name: '../../kube-system/configmaps/a'"), code=2),
    _object("envctl's own quota, raised", MR, "which is a guardrail of envctl",
            _kind("v1", "ResourceQuota", "spec: {hard: {pods: '999'}}\n", "name: envctl")),
    _object("envctl's own NetworkPolicy, opened", MR, "which is a guardrail of envctl",
            _kind("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}}\n",
                  "name: envctl")),
    _object("envctl's record, forged", MR, "In it envctl keeps what it has deployed",
            _map("name: envctl-record")),
    Attack("a context that envctl.yaml allows itself", MR, 77, "is not allowed",
           env={"ENVCTL_ALLOWED_CONTEXTS": "preview"}),
]  # fmt: skip

ON_THE_NODE = [
    _object("a pod with the node's disk (hostPath)", MR, "violates PodSecurity",
            _pod("volumes: [{name: v, hostPath: {path: /}}], "), stopped_by="Pod Security"),
    _object("a privileged container", MR, "violates PodSecurity",
            _pod("", ", securityContext: {privileged: true}"), stopped_by="Pod Security"),
    _object("a pod in the node's network", MR, "violates PodSecurity", _pod("hostNetwork: true, "),
            stopped_by="Pod Security"),
    _fork("a pod that runs as root", "violates PodSecurity", _pod(""),
          stopped_by="Pod Security"),
    _fork("a pod that chooses its node (nodeName)", "chooses its node", _pod("nodeName: a, ")),
    _fork("a pod that tolerates every taint", "tolerates",
          _pod("tolerations: [{operator: Exists}], ")),
]  # fmt: skip

CONFINEMENT = [
    _fork("a NetworkPolicy that opens everything", "would open the network",
          _kind("networking.k8s.io/v1", "NetworkPolicy",
                "spec: {podSelector: {}, egress: [{}], policyTypes: [Egress]}\n")),
    _fork("a role of its own", "is a Role",
          _kind("rbac.authorization.k8s.io/v1", "Role", "rules: []\n")),
    _fork("a token mounted into the pod", "has a token",
          _pod("automountServiceAccountToken: true, ")),
    _fork("a Secret that something put into every namespace", "reads the Secret pull-secret",
          _pod("volumes: [{name: s, secret: {secretName: pull-secret}}], ")),
    _fork("a Secret that asks for a token", "asks for a token",
          _kind("v1", "Secret", "type: kubernetes.io/service-account-token\n")),
    _fork("a Service that is another's (ExternalName)", "reaches out of the namespace",
          _kind("v1", "Service", "spec: {type: ExternalName, externalName: a.b}\n")),
    _fork("an annotation that a controller obeys", "which a controller of the cluster may obey",
          _kind("v1", "Secret", "", "name: a, annotations: {replicator/from: prod/key}")),
    _fork("a custom resource that has an operator fetch a secret", "is a ExternalSecret",
          _kind("external-secrets.io/v1", "ExternalSecret")),
]  # fmt: skip

ALL = [*REACHING_OUT, *ON_THE_NODE, *CONFINEMENT]
