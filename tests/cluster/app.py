"""A small application of three components that most tests start from and then break."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.node import Envctl, Finished, Kubectl, Node

PAUSE = "docker.io/envctl/pause:1"
BUSYBOX = "docker.io/envctl/busybox:1"

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {password: correct-horse-battery}
"""


def deployment(name: str, image: str = PAUSE, *, replicas: int = 1, command: str = "") -> str:
    """A Deployment; ``command`` is a shell line for busybox."""
    extra = f', command: ["/bin/sh", "-c", {json.dumps(command)}]' if command else ""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {{name: {name}, image: "{image}", imagePullPolicy: IfNotPresent{extra}}}
"""


def job(name: str, command: str) -> str:
    """A Job that runs a shell line once."""
    return f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - {{name: {name}, image: "{BUSYBOX}", command: ["/bin/sh", "-c", {json.dumps(command)}]}}
"""


FILES = {
    "deploy/config.yaml": CONFIG,
    "deploy/web.yaml": deployment("web"),
    "deploy/worker.yaml": deployment("worker"),
    "tests/smoke.yaml": job("smoke", "echo it works"),
}


class App:
    """An application in a folder, and ``envctl`` for it on the node."""

    def __init__(
        self,
        envctl: Envctl,
        node: Node,
        kubectl: Kubectl,
        project: str,
        write: Callable[[dict[str, str]], Path],
    ) -> None:
        self.envctl, self.node, self.kubectl, self.project = envctl, node, kubectl, project
        self._write = write
        self.env: dict[str, str] = {}
        self.namespace = f"{project}-it"
        self.folder = write({**FILES, "envctl.yaml": self.config()})

    def config(
        self, components: str | None = None, environment: str = "", checks: str | None = None
    ) -> str:
        """An envctl.yaml; the components default to config → web, worker and one check."""
        components = components or (
            "  - {name: config, manifests: [deploy/config.yaml]}\n"
            "  - {name: web, needs: [config], manifests: [deploy/web.yaml], timeout: 60s}\n"
            "  - {name: worker, needs: [config], manifests: [deploy/worker.yaml], timeout: 60s}\n"
        )
        if checks is None:
            checks = "  - {name: smoke, job: tests/smoke.yaml, timeout: 60s}\n"
        return (
            f"apiVersion: envctl.dev/v1\nproject: {self.project}\n"
            f"cluster: {{context: {self.node.context}, allowed: [{self.node.context}]}}\n"
            + (f"environment: {environment}\n" if environment else "")
            + f"components:\n{components}"
            + (f"checks:\n{checks}" if checks else "")
        )

    def write(self, files: dict[str, str]) -> None:
        """Change files of the application."""
        self._write(files)

    def run(self, *arguments: str, check: int | None = 0, **options: Any) -> Finished:
        """Run a verb on the environment ``it`` with JSON output."""
        return self.envctl(*arguments, "--name", "it", "-o", "json", check=check, **options)

    def up(self, *arguments: str, check: int | None = 0, **options: Any) -> dict[str, Any]:
        """``up`` and its document."""
        document: dict[str, Any] = self.run("up", *arguments, check=check, **options).json
        return document

    def down(self) -> dict[str, Any]:
        """``down`` from another folder, without the file, and its document."""
        done = self.envctl(
            "down", "--context", self.node.context, "--project", self.project, "--name", "it",
            "-o", "json", cwd=self.folder.parent, check=0,
        )  # fmt: skip
        document: dict[str, Any] = done.json
        return document

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """One object of the environment."""
        found: dict[str, Any] = self.kubectl("get", kind, name, "-n", self.namespace)
        return found

    def state(self) -> dict[str, dict[str, Any]]:
        """What the environment is, without what differs between two runs that do the same.

        Left out: what the server counts (UID, versions, times, addresses), and envctl's record,
        which holds UIDs.
        """
        kinds = (
            "configmaps,secrets,services,deployments,serviceaccounts,resourcequotas,"
            "limitranges,networkpolicies,jobs"
        )
        found = self.kubectl.items(kinds, "-n", self.namespace)
        return {
            f"{obj['kind']}/{obj['metadata']['name']}": _normal(obj)
            for obj in found
            if obj["metadata"]["name"] not in ("kube-root-ca.crt", "envctl-record")
        }


_SERVERS = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
_COUNTED = ("clusterIP", "clusterIPs", "selector")


def _normal(obj: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in obj.items() if key != "status"}
    found["metadata"] = {k: v for k, v in obj["metadata"].items() if k not in _SERVERS}
    notes = found["metadata"].get("annotations") or {}
    found["metadata"]["annotations"] = {
        k: v for k, v in notes.items() if not k.startswith("deployment.kubernetes.io/")
    }
    if obj["kind"] in ("Service", "Job"):
        spec = {k: v for k, v in obj["spec"].items() if k not in _COUNTED}
        template = spec.get("template")
        if template:  # the job controller labels a Job's pods with the Job's UID
            spec["template"] = {"spec": template["spec"]}
        found["spec"] = spec
        found["metadata"].pop("labels", None)
    return found
