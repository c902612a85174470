"""Environments that are going and do not go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envctl.errors import EXIT_TIMEOUT
from envctl.model.environment import PHASE, Phase
from tests.failures.case import Case, Part, Says
from tests.failures.objects import config_map, deployment
from tests.until import until

if TYPE_CHECKING:
    from tests.failures.stage import Stage

FINALIZER = "widgets.example.org/cleanup"
_FREE = '{"metadata":{"finalizers":null}}'


def _held(stage: Stage) -> None:
    """Something of the environment waits for a controller that nobody runs."""
    found = config_map("held")
    found["metadata"] |= {"namespace": stage.namespace, "finalizers": [FINALIZER]}
    stage.kubectl.apply(json.dumps(found))


def _going(stage: Stage) -> None:
    """A teardown that has given up on it already; else `up` waits for minutes."""
    _held(stage)
    phase = f"{PHASE}={Phase.STUCK}"
    stage.kubectl.run("annotate", "namespace", stage.namespace, "--overwrite", phase)
    stage.kubectl.run("delete", "namespace", stage.namespace, "--wait=false")
    until(lambda: "deletionTimestamp" in stage.get("configmap", "held")["metadata"])


def _free(stage: Stage) -> None:
    stage.kubectl.run(
        "patch", "configmap", "held", "-n", stage.namespace, "--type=merge", "-p", _FREE
    )


_CAUSE = ("ConfigMap/held", FINALIZER)

CASES = (
    Case(
        "namespace that is going",
        (Part((deployment(),), timeout=15),),
        Says("namespace", (*_CAUSE, "still being deleted"), "finalizer"),
        exit=EXIT_TIMEOUT,
        final=False,
        earlier=(Part((deployment(),)),),
        before=_going,
        after=_free,
        nightly=True,
    ),
    Case(
        "finalizer that nobody removes",
        (Part((deployment(),), timeout=15),),
        Says("ConfigMap/held", _CAUSE, "--force"),
        exit=EXIT_TIMEOUT,
        final=False,
        command=("down", "--timeout", "15s"),
        earlier=(Part((deployment(),)),),
        before=_held,
        after=_free,
    ),
)
