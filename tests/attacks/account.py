"""Attacks with the pipeline's own credential and kubectl: what a changed job script could try.

Nothing of envctl is in between. In texts ``OWN`` is an environment of the account's project P,
``NOT`` a stranger's namespace, ``EU`` an environment of another project whose name begins like P.
"""

from __future__ import annotations

from dataclasses import dataclass

RBAC, POD_SECURITY, NOBODY = "RBAC", "Pod Security", "no such object"
#: Where these words stand in the API server's answer, this is who has said no.
WORDS = {RBAC: ("cannot ", "attempting to grant"), POD_SECURITY: ("violates PodSecurity",)}
_BOUND = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
_ROLE = "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME}\n"
_NETWORK = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
_LABELS = "app.kubernetes.io/managed-by: envctl, envctl.dev/project: PRJ, envctl.dev/name: NAME"
_SAFE = "pod-security.kubernetes.io/enforce: baseline"


@dataclass(frozen=True)
class Try:
    """One command, and who says no: ``RBAC``, ``Pod Security``, or a policy of the set-up."""

    name: str
    by: str
    stopped_by: str
    arguments: str
    stdin: str = ""
    account: str = "pipeline"

    @property
    def policies(self) -> list[str]:
        """The policies that stand in the way together, where it is any; one of them answers."""
        return [] if self.stopped_by in (*WORDS, NOBODY) else self.stopped_by.split(", ")

    @property
    def words(self) -> tuple[str, ...]:
        """One of these stands in the answer; ``P`` is the set-up's name."""
        named = tuple(f"ValidatingAdmissionPolicy 'P-{policy}'" for policy in self.policies)
        return WORDS.get(self.stopped_by, named)


JOB, OTHER, CHART = "changed job script", "another project's pipeline", "author of a merge request"


def _namespace(name: str, project: str, env: str, more: str = _SAFE) -> str:
    labels = _LABELS.replace("PRJ", project).replace("NAME", env)
    return (f"apiVersion: v1\nkind: Namespace\n"
            f"metadata: {{name: {name}, labels: {{{labels}, {more}}}}}\n")  # fmt: skip


def _binding(namespace: str, role: str, subject: str) -> str:
    return (f"{_BOUND}metadata: {{name: grab, namespace: {namespace}}}\n"
            f"{_ROLE.replace('NAME', role)}subjects: [{subject}]\n")  # fmt: skip


def _pod(spec: str, container: str = "") -> str:
    return ("apiVersion: v1\nkind: Pod\nmetadata: {name: grab, namespace: OWN}\n"
            f"spec: {{schedulerName: nobody, {spec}containers: "
            f"[{{name: a, image: 'docker.io/envctl/pause:1'{container}}}]}}\n")  # fmt: skip


def _service(spec: str) -> str:
    return ("apiVersion: v1\nkind: Service\nmetadata: {name: grab, namespace: OWN}\n"
            f"spec: {{ports: [{{port: 80}}], {spec}}}\n")  # fmt: skip


def _lease(name: str, project: str, env: str) -> str:
    return ("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {namespace: envctl-system, "
            f"name: {name}, labels: {{envctl.dev/project: {project}, envctl.dev/name: {env}}}}}\n"
            "spec: {}\n")  # fmt: skip


_SELF = "{kind: ServiceAccount, name: P-pipeline, namespace: envctl-system}"
_ROOT = "{kind: ServiceAccount, name: default, namespace: OWN}"

NAMESPACES = [
    Try("give the own namespace to another project", JOB, "namespaces",
        "label namespace OWN envctl.dev/project=P-eu --overwrite"),
    Try("take the labels off the own namespace", JOB, "namespaces",
        "label namespace OWN app.kubernetes.io/managed-by-"),
    Try("lift Pod Security in the own namespace", JOB, "namespaces",
        "label namespace OWN pod-security.kubernetes.io/enforce=privileged --overwrite"),
    Try("make a namespace of another project", OTHER, "namespaces", "create -f -",
        _namespace("P-eu-new", "P-eu", "new")),
    Try("make one whose labels say ours, and its name another's", OTHER, "namespaces",
        "create -f -", _namespace("kube-new", "P", "new")),
    Try("make one without Pod Security", JOB, "namespaces", "create -f -",
        _namespace("P-open", "P", "open", "a: b")),
    Try("label a stranger's namespace as ours", OTHER, "namespaces",
        "label namespace NOT app.kubernetes.io/managed-by=envctl envctl.dev/project=P "
        "envctl.dev/name=not"),
    Try("label another project's environment as ours", OTHER, "namespaces",
        "label namespace EU envctl.dev/project=P envctl.dev/name=eu-x --overwrite"),
    Try("have gc delete another project's environment: forge its expiry", OTHER, "namespaces",
        "annotate namespace EU envctl.dev/expires-at=2020-01-01T00:00:00Z"),
    Try("hang another project's environment up with a finalizer", OTHER, "namespaces",
        'patch namespace EU --type merge -p {"metadata":{"finalizers":["a.b/c"]}}'),
    Try("own another project's environment, so that it goes with ours", OTHER, "namespaces",
        'patch namespace EU --type merge -p {"metadata":{"ownerReferences":[{"apiVersion":'
        '"v1","kind":"Namespace","name":"gone","uid":"gone"}]}}'),
    Try("delete another project's environment", OTHER, "namespaces",
        "delete namespace EU --wait=false"),
    Try("delete a stranger's namespace", OTHER, "namespaces", "delete namespace NOT --wait=false"),
    Try("delete all namespaces in one request", OTHER, RBAC,
        "delete --raw /api/v1/namespaces?labelSelector=envctl.dev/project"),
    Try("finalize another project's namespace", OTHER, RBAC,
        "replace --raw /api/v1/namespaces/EU/finalize -f -", _namespace("EU", "P-eu", "x")),
    Try("write the status of a namespace", OTHER, RBAC,
        "patch namespace EU --subresource=status --type merge -p {}"),
    Try("replace a namespace as a whole", OTHER, RBAC, "replace -f -",
        _namespace("EU", "P", "eu-x")),
]  # fmt: skip

RIGHTS = [
    Try("bind cluster-admin in the own namespace", JOB, RBAC, "create -f -",
        _binding("OWN", "cluster-admin", _ROOT)),
    Try("bind cluster-admin in the cluster", JOB, RBAC,
        "create clusterrolebinding P-grab --clusterrole=cluster-admin --user=a"),
    Try("bind the pipeline's role in kube-system", JOB, "scope", "create -f -",
        _binding("kube-system", "P-environment", _SELF)),
    Try("bind the pipeline's role in a stranger's namespace", OTHER, "scope", "create -f -",
        _binding("NOT", "P-environment", _SELF)),
    Try("bind the pipeline's role in another project's environment", OTHER, "scope",
        "create -f -", _binding("EU", "P-environment", _SELF)),
    Try("open the own environment to everybody", JOB, "bindings", "create -f -",
        _binding("OWN", "P-environment", "{apiGroup: rbac.authorization.k8s.io, kind: Group, "
                 "name: 'system:unauthenticated'}")),
    Try("open the own environment to another namespace's account", JOB, "bindings",
        "create -f -", _binding("OWN", "P-view",
                                "{kind: ServiceAccount, name: default, namespace: NOT}")),
    Try("make a role that holds more than the account", JOB, RBAC,
        "create role grab -n OWN --verb=* --resource=*"),
    Try("act as an administrator", JOB, RBAC,
        "get secrets -n kube-system --as a --as-group system:masters"),
    Try("act as another project's account", OTHER, RBAC,
        "get secrets -n EU --as system:serviceaccount:envctl-system:P-eu-pipeline"),
    Try("get a token of kube-system's account", JOB, RBAC,
        "create token default -n kube-system"),
    Try("get a token of the clean-up's account", JOB, RBAC, "create token P-gc -n envctl-system"),
    Try("have a Secret filled with kube-system's token", JOB, RBAC, "create -f -",
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata: "
        "{name: grab, namespace: kube-system, annotations: "
        "{kubernetes.io/service-account.name: default}}\n"),
    Try("have the cluster sign a client certificate", JOB, RBAC, "create -f -",
        "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\n"
        "metadata: {name: P-grab}\nspec: {request: YQ==, signerName: "
        "kubernetes.io/kube-apiserver-client, usages: [client auth]}\n"),
    Try("delete the policy that holds it", JOB, RBAC,
        "delete validatingadmissionpolicy P-scope"),
    Try("put that policy out of force", JOB, RBAC,
        "patch validatingadmissionpolicybinding P-scope --type merge -p "
        '{"spec":{"validationActions":["Audit"]}}'),
    Try("change what is bound in environments", JOB, RBAC,
        'patch configmap P-grants -n envctl-system --type merge -p {"data":{"projects":""}}'),
]  # fmt: skip

ELSEWHERE = [
    Try("read Secrets of another project's environment", OTHER, RBAC, "get secrets -n EU"),
    Try("read ConfigMaps of another project's environment", OTHER, RBAC, "get configmaps -n EU"),
    Try("read Secrets of the cluster", OTHER, RBAC, "get secrets -A"),
    Try("read logs of a stranger's pod", OTHER, RBAC,
        "get --raw /api/v1/namespaces/NOT/pods/victim/log"),
    Try("run a command in a stranger's pod", OTHER, RBAC,
        "create --raw /api/v1/namespaces/NOT/pods/victim/exec?command=id -f -", "{}"),
    Try("put a container into a stranger's pod", OTHER, RBAC,
        "patch pod victim -n NOT --subresource=ephemeralcontainers -p {}"),
    Try("delete a stranger's pod", OTHER, "scope", "delete pod victim -n NOT --wait=false"),
    Try("delete a pod of another project", OTHER, "scope", "delete pod victim -n EU --wait=false"),
    Try("delete all pods of a namespace in one request", OTHER, RBAC,
        "delete --raw /api/v1/namespaces/NOT/pods"),
    Try("evict a stranger's pod", OTHER, RBAC,
        "create --raw /api/v1/namespaces/NOT/pods/victim/eviction -f -",
        '{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": '
        '{"name": "victim", "namespace": "NOT"}}'),
    Try("place a stranger's pod on a node", OTHER, RBAC,
        "create --raw /api/v1/namespaces/NOT/pods/victim/binding -f -",
        '{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "victim"}, '
        '"target": {"kind": "Node", "name": "a"}}'),
    Try("speak with the kubelet through the API server", JOB, RBAC,
        "get --raw /api/v1/nodes/envctl-local/proxy/pods"),
    Try("delete a node", JOB, RBAC, "delete node -l kubernetes.io/os=none"),
    Try("forge an event in kube-system", JOB, RBAC, "create -f -",
        "apiVersion: v1\nkind: Event\nmetadata: {name: grab, namespace: kube-system}\n"
        "involvedObject: {kind: Pod, name: a, namespace: kube-system}\nreason: a\nmessage: b\n"),
    Try("forge the record of another project's environment", OTHER, RBAC,
        'patch configmap envctl-record -n EU --type merge -p {"data":{}}'),
    Try("make a volume of the node's disk", JOB, RBAC, "create -f -",
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: P-grab}\nspec: {capacity: "
        "{storage: 1Mi}, accessModes: [ReadWriteOnce], hostPath: {path: /}}\n"),
    Try("register a webhook that sees every Secret", JOB, RBAC, "create -f -",
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\n"
        "metadata: {name: P-grab}\nwebhooks: []\n"),
]  # fmt: skip

LOCKS = [
    Try("take over the lock of another project", OTHER, RBAC,
        "patch lease EU -n envctl-system --type merge -p "
        '{"spec":{"holderIdentity":"grab"}}'),
    Try("relabel the lock of another project as ours", OTHER, RBAC,
        "label lease EU -n envctl-system envctl.dev/project=P envctl.dev/name=eu-x --overwrite"),
    Try("rewrite the lock of another project as ours", OTHER, "scope", "replace -f -",
        _lease("EU", "P", "x")),
    Try("delete the lock, and tombstone, of another project", OTHER, "scope",
        "delete lease EU -n envctl-system"),
    Try("make a lock of another project", OTHER, "scope", "create -f -",
        _lease("P-eu-new", "P-eu", "new")),
    Try("make a lock without labels", OTHER, "scope", "create -f -",
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\n"
        "metadata: {namespace: envctl-system, name: P-eu-old}\nspec: {}\n"),
    Try("take the lease of the cluster's scheduler", JOB, RBAC,
        "patch lease kube-scheduler -n kube-system --type merge -p "
        '{"spec":{"holderIdentity":"grab"}}'),
]  # fmt: skip

INSIDE = [
    Try("a pod with the node's disk", CHART, POD_SECURITY, "create -f -",
        _pod("volumes: [{name: v, hostPath: {path: /}}], ")),
    Try("a privileged container", CHART, POD_SECURITY, "create -f -",
        _pod("", ", securityContext: {privileged: true}")),
    Try("a pod in the node's network", CHART, POD_SECURITY, "create -f -",
        _pod("hostNetwork: true, ")),
    Try("a pod that chooses its node (nodeName)", CHART, "pods", "create -f -",
        _pod("nodeName: envctl-local, ")),
    Try("a pod that tolerates every taint", CHART, "pods", "create -f -",
        _pod("tolerations: [{operator: Exists}], ")),
    Try("a pod for the control plane's nodes", CHART, "pods", "create -f -",
        _pod("tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Exists}], ")),
    Try("a pod with the system's priority", CHART, "pods", "create -f -",
        _pod("priorityClassName: system-node-critical, ")),
    Try("a LoadBalancer", CHART, "services", "create -f -", _service("type: LoadBalancer")),
    Try("a NodePort", CHART, "services", "create -f -", _service("type: NodePort")),
    Try("a Service that takes an address (externalIPs)", CHART, "services", "create -f -",
        _service("externalIPs: [10.0.0.1]")),
    Try("a Service that is another project's (ExternalName)", CHART, "services", "create -f -",
        _service("type: ExternalName, externalName: db.EU.svc.cluster.local")),
    Try("a Service with end points of another project", CHART, RBAC, "create -f -",
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
        "metadata: {name: grab, namespace: OWN}\nendpoints: [{addresses: [10.0.0.1]}]\n"),
    Try("an Ingress for a host of production", CHART, "ingresses", "create -f -",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: grab, namespace: OWN}\n"
        "spec: {rules: [{host: www.example.org}]}\n"),
    Try("an Ingress for every host", CHART, "ingresses", "create -f -",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: grab, namespace: OWN}\n"
        "spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}\n"),
    Try("more quota than the ceiling, by the volumes", CHART, "quota", "create -f -",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: grab, namespace: POOR}\n"
        "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Ti}}}\n"),
    Try("raise envctl's own quota", CHART, "ceiling",
        "patch resourcequota envctl -n OWN --type merge -p "
        '{"spec":{"hard":{"pods":"61"}}}'),
    Try("a pod before any quota stands", CHART, "quota, default-deny", "create -f -",
        _pod("").replace("OWN", "POOR")),
    Try("a pod before the network is closed", CHART, "default-deny", "create -f -",
        _pod("").replace("OWN", "OPEN")),
]  # fmt: skip

_EGRESS = "spec: {podSelector: {}, policyTypes: [Egress], egress: [RULE]}\n"


def _out(rule: str) -> str:
    return (f"{_NETWORK}metadata: {{name: grab, namespace: OWN}}\n"
            f"{_EGRESS.replace('RULE', rule)}")  # fmt: skip


NETWORK = [
    Try("a NetworkPolicy that opens everything", CHART, "network", "create -f -", _out("{}")),
    Try("one that opens all namespaces", CHART, "network", "create -f -",
        _out("{to: [{namespaceSelector: {}}]}")),
    Try("one that opens another project's namespace", CHART, "network", "create -f -",
        _out("{to: [{podSelector: {}}, {namespaceSelector: {matchLabels: "
             "{kubernetes.io/metadata.name: EU}}}]}")),
    Try("one that opens the node's metadata service", CHART, "network", "create -f -",
        _out("{to: [{ipBlock: {cidr: 169.254.169.254/32}}]}")),
    Try("one that opens a private network by halves", CHART, "network", "create -f -",
        _out("{to: [{ipBlock: {cidr: 10.128.0.0/9}}]}")),
    Try("one that opens the internet without leaving out private networks", CHART, "network",
        "create -f -", _out("{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}")),
    Try("one that opens all of IPv6", CHART, "network", "create -f -",
        _out("{to: [{ipBlock: {cidr: '::/0'}}]}")),
    Try("one that opens port 53 up to 65535", CHART, "network", "create -f -",
        _out("{to: [{namespaceSelector: {}}], ports: [{port: 53, endPort: 65535}]}")),
    Try("open envctl's own policy", CHART, "network",
        "patch networkpolicy envctl -n OWN --type merge -p "
        '{"spec":{"policyTypes":["Ingress"]}}'),
    Try("point envctl's own policy at no pod", CHART, "network",
        "patch networkpolicy envctl -n OWN --type merge -p "
        '{"spec":{"podSelector":{"matchLabels":{"a":"b"}}}}'),
    Try("delete envctl's own policy", CHART, "network", "delete networkpolicy envctl -n OWN"),
]  # fmt: skip

GC = [
    Try("the clean-up's account makes a namespace", JOB, RBAC, "create -f -",
        _namespace("P-new", "P", "new"), account="gc"),
    Try("the clean-up's account deletes another project's environment", OTHER, "namespaces",
        "delete namespace EU --wait=false", account="gc"),
    Try("the clean-up's account makes a role", JOB, RBAC,
        "create role grab -n OWN --verb=get --resource=pods", account="gc"),
    Try("the clean-up's account reads Secrets elsewhere", OTHER, RBAC, "get secrets -n EU",
        account="gc"),
    Try("the clean-up's account binds a role", JOB, "bindings", "create -f -",
        _binding("OWN", "P-environment", "{kind: ServiceAccount, name: default, namespace: NOT}"),
        account="gc"),
]  # fmt: skip

ALL = [*NAMESPACES, *RIGHTS, *ELSEWHERE, *LOCKS, *INSIDE, *NETWORK, *GC]
