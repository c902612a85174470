"""What the API server refuses: quotas, limits, accounts, classes, policies, webhooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envctl.model import obstacle
from tests.failures import beside
from tests.failures.case import SOON, Case, Part, Says, Twin
from tests.failures.objects import container, deployment, meta, pod, shell

if TYPE_CHECKING:
    from tests.failures.case import Object
    from tests.failures.stage import Stage

#: What has a time of its own: that, and what any other may take.
MISSING = obstacle.MISSING + SOON


def _asking(cpu: str, name: str = "web") -> Object:
    asked = {"requests": {"cpu": cpu, "memory": "8Mi"}, "limits": {"cpu": cpu, "memory": "8Mi"}}
    return deployment(pod(container(resources=asked)), name)


def _first(line: str) -> Part:
    """A pod that takes a place of the quota for as long as its line of shell lasts."""
    spec = {"restartPolicy": "Never", **pod(shell(line))}
    found = {"apiVersion": "v1", "kind": "Pod", "metadata": meta("first"), "spec": spec}
    return Part((found,), name="first", timeout=12)


LIMITS: Object = {
    "apiVersion": "v1", "kind": "LimitRange", "metadata": meta("small"),
    "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]},
}  # fmt: skip


def _outside(stage: Stage, kind: str, version: str, name: str, **spec: object) -> None:
    found = {"apiVersion": version, "kind": kind, "metadata": meta(name), **spec}
    stage.kubectl.apply(json.dumps(found))


def _policy(stage: Stage) -> None:
    version = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
            "resources": ["deployments"]}  # fmt: skip
    _outside(stage, "ValidatingAdmissionPolicy", version, stage.project, spec={
        "failurePolicy": "Fail", "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.spec.replicas > 1",
                         "message": "two replicas at least"}],
    })  # fmt: skip
    _outside(stage, "ValidatingAdmissionPolicyBinding", version, stage.project, spec={
        "policyName": stage.project, "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": beside.only_here(stage)},
    })  # fmt: skip
    beside.until_said(stage, "two replicas at least", deployment())


def _no_policy(stage: Stage) -> None:
    kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy"
    stage.kubectl.run("delete", kinds, stage.project, "--ignore-not-found")
    beside.clear(stage)


CASES = (
    Case(
        "quota too small for the pod",
        (Part((_asking("3"),)),),
        Says("Deployment/web", ("ResourceQuota/", "asks for requests.cpu 3", "of 2 are used",
                                "more than there is in all"), "raise environment.quota"),
        knows=r"exceeded quota",
        environment='{quota: {requests.cpu: "2"}}',
    ),
    Case(
        "quota used up",
        (_first("sleep 1000"), Part((deployment(),), needs=("first",), timeout=12)),
        Says("Deployment/web", ("ResourceQuota/", "asks for pods 1", "1 of 1 are used"),
             "raise environment.quota"),
        knows=r"exceeded quota",
        exit=124,
        final=False,
        environment='{quota: {pods: "1"}}',
        # The controller of its pods tries again some twenty seconds after it was refused.
        twin=Twin(
            (_first("sleep 8"), Part((deployment(),), needs=("first",), timeout=100)),
            environment='{quota: {pods: "1"}}',
        ),
    ),
    Case(
        "limit range",
        (Part((LIMITS, deployment(pod(container(
            resources={"requests": {"memory": "128Mi"}, "limits": {"memory": "128Mi"}}))))),),
        Says("Deployment/web", "maximum memory usage per Container is 64Mi, but limit is 128Mi",
             "Change the resources of its containers"),
        knows=r"maximum memory usage per Container",
    ),
    Case(
        "more than the limit by default",
        (Part((deployment(pod(container(resources={"requests": {"cpu": "900m"}}))),)),),
        Says("Deployment/web", ("its pod is not valid",
                                "must be less than or equal to cpu limit of 500m"),
             "environment.defaults"),
        knows=r"must be less than or equal to cpu limit",
    ),
    Case(
        "priority class missing",
        (Part((deployment(pod(priorityClassName="very-important")),)),),
        Says("Deployment/web", "PriorityClass 'very-important'", "correct priorityClassName"),
        knows=r"no PriorityClass with name",
        within=MISSING,
        nightly=True,
    ),
    Case(
        "runtime class missing",
        (Part((deployment(pod(runtimeClassName="gvisor")),)),),
        Says("Deployment/web", "RuntimeClass 'gvisor'", "correct runtimeClassName"),
        knows=r"RuntimeClass \\\"gvisor\\\" not found",
        within=MISSING,
        nightly=True,
    ),
    Case(
        "admission policy refuses",
        (Part((deployment(),)),),
        Says("Deployment/web", "two replicas at least", "keep within it, or ask"),
        exit=77,
        within=20,
        before=_policy,
        after=_no_policy,
    ),
)  # fmt: skip
