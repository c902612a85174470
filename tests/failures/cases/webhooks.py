"""Admission webhooks that refuse, or that nobody serves."""

from __future__ import annotations

from functools import partial

from envctl.errors import EXIT_REFUSED, EXIT_TIMEOUT
from tests.failures import webhook
from tests.failures.case import Case, Part, Says, Twin
from tests.failures.objects import deployment

#: The cluster has no record of it: seconds count from the start of the command.
AT_ONCE = 20
_DOWN = (f"the admission webhook {webhook.NAME}", "cannot be called", "nobody")
_START = "Start what serves the webhook"

CASES = (
    Case(
        "webhook refuses",
        (Part((deployment(),)),),
        Says("Deployment/web", (f"the admission webhook {webhook.NAME} refuses it", webhook.WHY),
             "Change the object to what the webhook allows"),
        within=AT_ONCE,
        exit=EXIT_REFUSED,
        before=partial(webhook.refusing, kind=webhook.DEPLOYMENTS),
        after=webhook.stop,
        told=webhook.WHY,
    ),
    Case(
        "webhook refuses the pod",
        (Part((deployment(),)),),
        Says("Deployment/web", (f"the admission webhook {webhook.NAME} refuses its pod",
                                webhook.WHY), "Change the pod to what the webhook allows"),
        knows=webhook.WHY,
        before=partial(webhook.refusing, kind=webhook.PODS),
        after=webhook.stop,
    ),
    Case(
        "webhook down",
        (Part((deployment(),), timeout=12),),
        Says("Deployment/web", _DOWN, _START),
        exit=EXIT_TIMEOUT,
        final=False,
        before=partial(webhook.absent, kind=webhook.DEPLOYMENTS),
        after=webhook.stop,
        twin=Twin(
            (Part((deployment(),)),),
            before=partial(webhook.late, kind=webhook.DEPLOYMENTS, seconds=6),
            after=webhook.stop,
        ),
        told='service "nobody" not found',
    ),
    Case(
        "webhook for the pod down",
        (Part((deployment(),), timeout=12),),
        Says("Deployment/web", _DOWN, _START),
        knows=r"failed calling webhook",
        exit=EXIT_TIMEOUT,
        final=False,
        before=partial(webhook.absent, kind=webhook.PODS),
        after=webhook.stop,
        nightly=True,
    ),
)  # fmt: skip
