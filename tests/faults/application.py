"""The application that is killed: two Helm releases, a kustomization, manifests, and a check.

Each component needs the one before it. The first release has hooks for install, upgrade and
delete, and a claim, whose UID proves that no data was deleted. What the fake nodes' pods are given
to do does not matter: they are ready, and Jobs complete, by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STORAGE_CLASS = "faults-manual"

ENVCTL = """\
apiVersion: envctl.dev/v1
project: %(project)s
cluster: {context: %(context)s, allowed: [%(context)s]}
environment:
  lifetime: {ttl: 72h}
components:
  - {name: db, helm: {chart: db, values: [{note: "%(note)s"}]}, timeout: 150s}
  - {name: cache, needs: [db], helm: {chart: cache, values: [{note: "%(note)s"}]}, timeout: 150s}
  - {name: api, needs: [cache], kustomize: api, timeout: 150s}
  - {name: web, needs: [api], manifests: ["web.%(note)s.yaml"], timeout: 150s}
checks:
  - {name: smoke, job: smoke.yaml, timeout: 150s}
"""

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: %(name)s, labels: {note: "%(note)s"}}
spec:
  replicas: 1
  selector: {matchLabels: {app: %(name)s}}
  template:
    metadata: {labels: {app: %(name)s, note: "%(note)s"}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "docker.io/envctl/pause:1"}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: %(name)s}
spec: {selector: {app: %(name)s}, ports: [{port: 80}]}
"""
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: %(name)s}
data: {note: "%(note)s"}
"""
CLAIM = f"""\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: db-data}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: {STORAGE_CLASS}
  resources: {{requests: {{storage: 1Mi}}}}
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: db-password}
stringData: {password: correct-horse-battery}
"""
JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: %(name)s
  annotations: %(notes)s
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "docker.io/envctl/pause:1"}]
"""
HOOK_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: db-%(event)s
  annotations:
    helm.sh/hook: %(event)s
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
data: {note: hook}
"""
_MIGRATE = (
    '{helm.sh/hook: "post-install,post-upgrade", '
    'helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}'
)
_NOTE = "{{ .Values.note }}"


def _chart(name: str) -> str:
    return f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n"


def _join(*documents: str) -> str:
    return "---\n".join(documents)


def files(project: str, context: str, note: str) -> dict[str, str]:
    """The repository, by path; ``note`` is what changes from one version to the next."""
    web = {
        f"web.{n}.yaml": _join(
            CONFIG_MAP % {"name": "web", "note": n},
            DEPLOYMENT % {"name": "web", "note": n},
            SERVICE % {"name": "web"},
        )
        for n in ("one", "two")
    }
    return {
        **web,
        "envctl.yaml": ENVCTL % {"project": project, "context": context, "note": note},
        "db/Chart.yaml": _chart("db"),
        "db/values.yaml": "note: none\n",
        "db/templates/all.yaml": _join(
            SECRET, CLAIM, DEPLOYMENT % {"name": "db", "note": _NOTE}, SERVICE % {"name": "db"}
        ),
        "db/templates/hooks.yaml": _join(
            HOOK_MAP % {"event": "pre-install"},
            HOOK_MAP % {"event": "pre-upgrade"},
            HOOK_MAP % {"event": "pre-delete"},
            JOB % {"name": "db-migrate", "notes": _MIGRATE},
        ),
        "cache/Chart.yaml": _chart("cache"),
        "cache/values.yaml": "note: none\n",
        "cache/templates/all.yaml": _join(
            CONFIG_MAP % {"name": "cache", "note": _NOTE},
            DEPLOYMENT % {"name": "cache", "note": _NOTE},
        ),
        "api/kustomization.yaml": "resources: [all.yaml]\nlabels: [{pairs: {tier: api}}]\n",
        "api/all.yaml": _join(
            CONFIG_MAP % {"name": "api", "note": "one"}, DEPLOYMENT % {"name": "api", "note": "one"}
        ),
        "smoke.yaml": JOB % {"name": "smoke", "notes": "{}"},
    }


def write(folder: Path, project: str, context: str, note: str) -> Path:
    """Write the repository and return its folder."""
    for name, text in files(project, context, note).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
