"""Rollouts that do not come to an end, and names that nobody knows."""

from __future__ import annotations

from tests.failures.case import Case, Part, Says
from tests.failures.objects import THIRD_END, deployment, pod, shell

_LOOKUP = (
    "nslookup db.nowhere.svc.cluster.local >&2 || { echo bad address db.nowhere >&2; exit 1; }"
)

CASES = (
    Case(
        "progress deadline",
        (
            Part(
                (
                    deployment(
                        pod(
                            shell(
                                "sleep 1000",
                                readinessProbe={
                                    "exec": {"command": ["ls", "/ready"]},
                                    "periodSeconds": 1,
                                },
                            )
                        ),
                        progressDeadlineSeconds=5,
                    ),
                )
            ),
        ),
        Says("Deployment/web", ("readiness probe", "/ready"), "probe"),
        knows="ProgressDeadlineExceeded",
    ),
    Case(
        "a name that DNS does not know",
        (Part((deployment(pod(shell(_LOOKUP))),)),),
        Says("Deployment/web", ("exit code 1", "NXDOMAIN", "db.nowhere"), "name"),
        knows=THIRD_END,
        nightly=True,
    ),
)
