"""Work that ends, and ends badly."""

from __future__ import annotations

from tests.failures.case import Case, Part, Says, Twin
from tests.failures.objects import BUSYBOX, container, deployment, job, pod, shell

_FAILS = "echo migrating; echo no such table >&2; exit 5"
_FAILED = r'"type":"(Failed|FailureTarget)","status":"True"|"type":"FailureTarget"'
_HOOK = f"""\
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations: {{helm.sh/hook: pre-install}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - {{name: migrate, image: {BUSYBOX}, command: [/bin/sh, -c, "{_FAILS}"]}}
"""

CASES = (
    Case(
        "Job fails",
        (Part((job(pod(shell(_FAILS, "task"))),)),),
        Says("Job/task", ("exit code 5", "no such table"), "log"),
        knows=_FAILED,
    ),
    Case(
        "Job fails as often as it may",
        (Part((job(pod(shell(_FAILS, "task")), backoffLimit=1),)),),
        Says("Job/task", ("backoff limit", "no such table"), "log"),
        knows=_FAILED,
        twin=Twin(
            (
                Part(
                    (
                        job(
                            pod(
                                shell(
                                    "echo x >> /data/tries; [ $(wc -l < /data/tries) -gt 1 ]",
                                    "task",
                                    volumeMounts=[{"name": "data", "mountPath": "/data"}],
                                ),
                                volumes=[{"name": "data", "emptyDir": {}}],
                                restartPolicy="OnFailure",
                            ),
                            backoffLimit=3,
                        ),
                    )
                ),
            ),
            done=lambda stage: stage.get("job", "task")["status"].get("succeeded") == 1,
        ),
    ),
    Case(
        "Job takes longer than it may",
        (
            Part(
                (job(pod(shell("echo still at it; sleep 1000", "task")), activeDeadlineSeconds=12),)
            ),
        ),
        Says("Job/task", ("DeadlineExceeded", "still at it"), "activeDeadlineSeconds"),
        knows=_FAILED,
        once=True,  # with its pod, its log
    ),
    Case(
        "hook of a release fails",
        (Part((deployment(pod(container())),), chart=True, templates={"migrate.yaml": _HOOK}),),
        Says("Job/migrate", ("pre-install", "no such table"), "hook"),
        knows=_FAILED,
    ),
)
