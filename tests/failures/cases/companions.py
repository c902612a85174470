"""Pods in which another container than the main one is at fault."""

from __future__ import annotations

from tests.failures.case import Case, Part, Says, Twin
from tests.failures.objects import THIRD_END, container, deployment, pod, shell

_FAILS = "echo waiting for the schema; echo no schema >&2; exit 4"

CASES = (
    Case(
        "init container fails",
        (Part((deployment(pod(container(), initContainers=[shell(_FAILS, "schema")])),)),),
        Says("Deployment/web", ("schema", "exit code 4", "no schema"), "log"),
        knows=THIRD_END,
        twin=Twin(
            (Part((deployment(pod(container(), initContainers=[shell("sleep 8", "schema")])),)),)
        ),
    ),
    Case(
        "native sidecar fails",
        (
            Part(
                (
                    deployment(
                        pod(
                            container(),
                            initContainers=[shell(_FAILS, "proxy", restartPolicy="Always")],
                        )
                    ),
                )
            ),
        ),
        Says("Deployment/web", ("proxy", "exit code 4", "no schema"), "log"),
        knows=THIRD_END,
    ),
    Case(
        "second container fails",
        (Part((deployment(pod(container(), shell(_FAILS, "metrics"))),)),),
        Says("Deployment/web", ("metrics", "exit code 4", "no schema"), "log"),
        knows=THIRD_END,
        nightly=True,
    ),
)
