"""An application that uses every kind that an environment may have, twice: as chart, as files."""

from __future__ import annotations

from tests.cluster.app import BUSYBOX, PAUSE, job

_POD = (
    "{metadata: {labels: {app: NAME}}, spec: {terminationGracePeriodSeconds: 1, "
    f"containers: [{{name: a, image: '{PAUSE}', imagePullPolicy: IfNotPresent}}]}}}}"
)
_WORKLOADS = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: NAME}}
spec: {{selector: {{matchLabels: {{app: NAME}}}}, template: {_POD}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: NAME}}
spec: {{serviceName: NAME, selector: {{matchLabels: {{app: NAME}}}}, template: {_POD}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: NAME}}
spec: {{selector: {{matchLabels: {{app: NAME}}}}, template: {_POD}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: NAME}}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [
    {{name: a, image: "{BUSYBOX}", command: ["true"]}}]}}}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: NAME}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{{name: a, image: "{PAUSE}", imagePullPolicy: IfNotPresent}}]
"""
_REST = """\
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: NAME}
spec: {rules: [{host: NAME.preview.test, http: {paths: [{path: /, pathType: Prefix, backend: {
  service: {name: NAME, port: {number: 80}}}}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: NAME}
spec: {podSelector: {matchLabels: {app: NAME}}, policyTypes: [Ingress]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: NAME}
spec: {maxReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: NAME}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: NAME}}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: NAME}
spec: {limits: [{type: Pod, max: {cpu: "4"}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: NAME}
spec: {hard: {services: "50"}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: NAME}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: NAME}
subjects: [{kind: ServiceAccount, name: NAME, namespace: NAMESPACE}]
"""
_SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME}
data: {word: WORD}
---
apiVersion: v1
kind: Secret
metadata: {name: NAME}
stringData: {word: WORD}
"""
EVERYTHING = f"{_WORKLOADS}---\n{_REST}---\n{_SETTINGS}"
_HOOK = f"""\
apiVersion: batch/v1
kind: Job
metadata:
  name: hook
  annotations:
    helm.sh/hook: pre-install,pre-delete
    helm.sh/hook-delete-policy: hook-succeeded
spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never, containers: [
  {{name: a, image: "{BUSYBOX}", command: ["true"]}}]}}}}}}
"""


def _named(text: str, name: str) -> str:
    return text.replace("NAMESPACE", "SPACE").replace("NAME", name)


FILES = {
    "chart/Chart.yaml": "{apiVersion: v2, name: chart, version: 1.0.0}\n",
    "chart/values.yaml": "word: one\n",
    "chart/templates/all.yaml": _named(EVERYTHING, "chart")
    .replace("SPACE", "{{ .Release.Namespace }}")
    .replace("WORD", "{{ .Values.word }}"),
    "chart/templates/hook.yaml": _HOOK,
    "all/all.yaml": _named(f"{_WORKLOADS}---\n{_REST}", "plain"),
    "all/settings.yaml": _named(_SETTINGS, "plain").replace("WORD", "one"),
    "pruned/all.yaml": _named(f"{_WORKLOADS}---\n{_REST}", "pruned"),
    "once.yaml": job("once", "true"),
}


def components(without: str = "") -> str:
    """The components, without one that is to be pruned."""
    found = {
        "release": "  - {name: release, helm: {chart: chart}, timeout: 120s}\n",
        "plain": "  - {name: plain, manifests: [all], timeout: 120s}\n",
        "pruned": "  - {name: pruned, manifests: [pruned], timeout: 120s}\n",
        "once": "  - {name: once, job: once.yaml, timeout: 60s}\n",
    }
    return "".join(text for name, text in found.items() if name != without)
