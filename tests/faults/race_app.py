"""What races: an application in which every object says which run made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.node import Kubectl

CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    "chart/templates/all.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: released}
data: {by: "{{ .Values.by }}"}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: hooked
  annotations:
    helm.sh/hook: post-install,post-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
data: {by: "{{ .Values.by }}"}
""",
}


def write(folder: Path, project: str, context: str, by: str) -> Path:
    """The application as the run ``by`` wants it."""
    files = {
        **CHART,
        "values.yaml": f'by: "{by}"\n',
        "settings.yaml": f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data: {{by: "{by}"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: only-{by}}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {{name: {project}-it-{by}}}
value: 1
""",
        "web.yaml": f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {{name: web, image: "example.org/web:{by}"}}
""",
        "envctl.yaml": f"""\
apiVersion: envctl.dev/v1
project: {project}
cluster: {{context: {context}, allowed: [{context}]}}
environment: {{lifetime: {{ttl: 72h}}, clusterScoped: [PriorityClass]}}
components:
  - {{name: settings, manifests: [settings.yaml]}}
  - {{name: released, helm: {{chart: chart, values: [values.yaml]}}, timeout: 120s}}
  - {{name: web, needs: [settings], manifests: [web.yaml], timeout: 120s}}
""",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def standing(kubectl: Kubectl, namespace: str) -> dict[str, Any]:
    """What each object of the application says of who made it; empty where all of it is gone."""
    found: dict[str, Any] = {}
    space = kubectl.items("namespaces", "--field-selector", f"metadata.name={namespace}")
    if space:
        found["phase"] = (space[0]["metadata"].get("annotations") or {}).get("envctl.dev/phase", "")
        if "deletionTimestamp" in space[0]["metadata"]:
            found["phase"] = "going"
    for obj in kubectl.items("configmaps,deployments", "-n", namespace):
        name = obj["metadata"]["name"]
        if name.startswith("only-"):
            found.setdefault("only", []).append(name.removeprefix("only-"))
        elif name in ("settings", "released", "hooked"):
            found[name] = obj["data"]["by"]
        elif name == "web":
            image = obj["spec"]["template"]["spec"]["containers"][0]["image"]
            found[name] = image.rpartition(":")[2]
    for obj in kubectl.items("priorityclasses"):
        name = obj["metadata"]["name"]
        if name.startswith(f"{namespace}-"):
            found.setdefault("outside", []).append(name.removeprefix(f"{namespace}-"))
    return found


def wanted(by: str) -> dict[str, Any]:
    """What must stand where the run ``by`` is the last word; nothing where that is a ``down``."""
    if not by:
        return {}
    parts: dict[str, Any] = dict.fromkeys(("settings", "released", "hooked", "web"), by)
    return {**parts, "phase": "Ready", "only": [by], "outside": [by]}
