"""Programs that do not start, or do not stay."""

from __future__ import annotations

from tests.failures.case import Case, Part, Says, Twin
from tests.failures.objects import BUSYBOX, container, deployment, pod, shell

CASES = (
    Case(
        "bad command",
        (Part((deployment(pod(container(image=BUSYBOX, command=["/bin/serve", "--all"]))),)),),
        Says(
            "Deployment/web", ("cannot be started", "/bin/serve"), "Correct the container's command"
        ),
        knows=r"StartError|RunContainerError",
        twin=Twin((Part((deployment(pod(shell("sleep 3; exec sleep 1000"))),)),)),
    ),
)
