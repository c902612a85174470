"""What worked once, and cannot be changed like this; and what the server only warns about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envctl.errors import EXIT_OK
from tests.failures.case import Case, Part, Says
from tests.failures.objects import deployment, meta, pod, service

if TYPE_CHECKING:
    from tests.failures.case import Object
    from tests.failures.stage import Stage

#: The cluster has no record of it: seconds count from the start of the command.
AT_ONCE = 20


def _selecting(**labels: str) -> Object:
    found = deployment()
    found["spec"]["selector"]["matchLabels"] = labels
    found["spec"]["template"]["metadata"]["labels"] = labels
    return found


def _headless() -> Object:
    found = service()
    found["spec"]["clusterIP"] = "None"
    return found


def _of_another(stage: Stage) -> None:
    """Somebody else sets a field that the manifest leaves to the cluster."""
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("web"),
             "spec": {"minReadySeconds": 1}}  # fmt: skip
    stage.kubectl.run(
        "apply", "--server-side", "--field-manager=operator", "-n", stage.namespace, "-f", "-",
        stdin=json.dumps(patch),
    )  # fmt: skip


OLD_LABEL = deployment(pod(nodeSelector={"beta.kubernetes.io/os": "linux"}))

CASES = (
    Case(
        "selector changed",
        (Part((_selecting(app="web", tier="front"),)),),
        Says("Deployment/web", ("spec.selector", "cannot be changed"), "kubectl delete deployment"),
        within=AT_ONCE,
        earlier=(Part((deployment(),)),),
        told="field is immutable",
    ),
    Case(
        "cluster address changed",
        (Part((deployment(), _headless())),),
        Says("Service/web", ("spec.clusterIP", "cannot be changed"), "kubectl delete service"),
        within=AT_ONCE,
        earlier=(Part((deployment(), service())),),
        told="may not change once set",
    ),
    Case(
        "field of another manager",
        (Part((deployment(minReadySeconds=0),)),),
        Says("Deployment/web", ("'operator' owns", "spec.minReadySeconds"),
             "Leave these fields out of the manifest"),
        within=AT_ONCE,
        earlier=(Part((deployment(),)),),
        before=_of_another,
        told='conflict with "operator"',
    ),
    # No failure at all: it is deployed, and the server's warning is passed on.
    Case(
        "something deprecated",
        (Part((OLD_LABEL,)),),
        Says("Deployment/web", ("warns", "nodeSelector[beta.kubernetes.io/os]",
                                "deprecated since v1.14"), 'use "kubernetes.io/os" instead'),
        within=AT_ONCE,
        exit=EXIT_OK,
        once=True,
        told="deprecated since v1.14",
    ),
    Case(
        "something deprecated in a chart",
        (Part((OLD_LABEL,), chart=True),),
        Says("release app", ("warns", "nodeSelector[beta.kubernetes.io/os]",
                             "deprecated since v1.14"), 'use "kubernetes.io/os" instead'),
        within=AT_ONCE,
        exit=EXIT_OK,
        once=True,
        nightly=True,
        told="deprecated since v1.14",
    ),
)  # fmt: skip
