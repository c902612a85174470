"""Pods that may not do what they do, or may not be at all."""

from __future__ import annotations

from tests.failures.case import Case, Part, Says
from tests.failures.objects import THIRD_END, container, deployment, pod, shell

CASES = (
    Case(
        "read-only file system",
        (
            Part(
                (
                    deployment(
                        pod(
                            shell(
                                "echo 1 > /var.pid && exec sleep 1000",
                                securityContext={"readOnlyRootFilesystem": True},
                            )
                        )
                    ),
                )
            ),
        ),
        Says("Deployment/web", ("Read-only file system",), "emptyDir"),
        knows=THIRD_END,
    ),
    Case(
        "runs as root and must not",
        (Part((deployment(pod(shell("exec sleep 9", securityContext={"runAsNonRoot": True}))),)),),
        Says("Deployment/web", ("runAsNonRoot", "root"), "runAsUser"),
        knows="CreateContainerConfigError",
    ),
    Case(
        "Pod Security refuses",
        (Part((deployment(pod(container(securityContext={"privileged": True}))),)),),
        Says("Deployment/web", ("violates PodSecurity", "privileged"), "securityContext"),
        knows="violates PodSecurity",
    ),
)
