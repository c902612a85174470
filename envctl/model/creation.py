"""Why a controller cannot make its pods: what the API server told it, in the words of its events.

The sentences are those of k8s.io/apiserver's admission plugins (resourcequota, limitranger,
serviceaccount, priority, runtimeclass, webhook, policy/validating) and of Pod Security admission.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from envctl.model import obstacle
from envctl.model.obstacle import Obstacle
from envctl.model.quantity import parse
from envctl.model.setup import BY_ANOTHER

Rule: TypeAlias = Callable[[re.Match[str]], Obstacle]

_QUOTA = re.compile(
    r"exceeded quota: (?P<name>[^,\s]+), requested: (?P<asked>\S+), used: (?P<used>\S+), "
    r"limited: (?P<limit>\S+)"
)
_UNSET = re.compile(r"failed quota: (?P<name>\S+?): must specify (?P<what>.+)")
_RANGE = re.compile(r"forbidden: \[?(?P<why>(?:maximum|minimum|\S+ max limit)[^\]]+)\]?")
_ACCOUNT = re.compile(r'error looking up service account \S+: serviceaccount "(?P<name>[^"]+)"')
_PRIORITY = re.compile(r"no PriorityClass with name (?P<name>\S+) was found")
_RUNTIME = re.compile(r'RuntimeClass "(?P<name>[^"]+)" not found')
DENIED = re.compile(r'admission webhook "(?P<name>[^"]+)" denied the request:? ?(?P<why>.*)')
DOWN = re.compile(r'failed calling webhook "(?P<name>[^"]+)": (?P<why>.+)')
POLICY = re.compile(
    r"ValidatingAdmissionPolicy '(?P<name>[^']+)' with binding '[^']+' denied request: (?P<why>.+)",
    re.DOTALL,
)
_INVALID = re.compile(r'Pod "[^"]+" is invalid: (?P<why>.+)', re.DOTALL)
_SECURITY = re.compile(r'violates PodSecurity "(?P<level>[^"]+)": (?P<why>.+)')
#: What to do, wherever a webhook stands in the way.
START_WEBHOOK = (
    "Start what serves the webhook, or have an administrator delete its configuration: "
    "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations."
)
ALLOWED_BY_WEBHOOK = "what the webhook allows; whoever set it up knows the rule."


def obstacle_of(message: str) -> Obstacle:
    """What the message of a FailedCreate event, or of a ReplicaFailure condition, comes to."""
    for pattern, rule in _RULES:
        found = pattern.search(message)
        if found:
            return rule(found)
    return Obstacle("FailedCreate", message, patience=None)


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.strip(".,]").split(",") if "=" in pair)


def _quota(found: re.Match[str]) -> Obstacle:
    """A pod that asks for more than the whole quota fits never, any other when something ends."""
    asked, used, limit = (_pairs(found[name]) for name in ("asked", "used", "limit"))
    words, never = [], False
    for name, value in asked.items():
        most = limit.get(name, "")
        wanted, bound = parse(value), parse(most)
        never |= wanted is not None and bound is not None and wanted > bound
        words.append(f"it asks for {name} {value}, and {used.get(name, '0')} of {most} are used")
    more = ", more than there is in all" if never else ""
    return Obstacle(
        "QuotaExceeded",
        f"ResourceQuota/{found['name']} has no room for its pod: {'; '.join(words)}{more}",
        "Ask for less, or raise environment.quota in envctl.yaml.",
        obstacle.FINAL if never else obstacle.QUOTA,
    )


def _policy(found: re.Match[str]) -> Obstacle:
    return Obstacle(
        "Denied",
        f"the ValidatingAdmissionPolicy {found['name']} refuses its pod: {found['why']}",
        "Keep within the limit, or ask the cluster's administrator for another.",
        obstacle.MISSING if found["name"].endswith(BY_ANOTHER) else obstacle.FINAL,
    )


def _says(reason: str, message: str, advice: str, patience: float) -> Rule:
    """A rule that puts what its pattern has found into two sentences."""
    return lambda found: Obstacle(
        reason,
        message.format_map(found.groupdict()),
        advice.format_map(found.groupdict()),
        patience,
    )


def _missing(kind: str, advice: str) -> Rule:
    message = f"{kind} {{name!r}}, which its pod names, does not exist"
    return _says(f"{kind}Missing", message, advice, obstacle.MISSING)


#: Asked in this order: the first pattern that is found speaks.
_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = (
    (_QUOTA, _quota),
    (_UNSET, _says(
        "QuotaExceeded",
        "ResourceQuota/{name} wants every pod to say what it needs: {what}",
        "Give the containers resources, or set environment.defaults in envctl.yaml.",
        obstacle.FINAL)),
    (DOWN, _says(
        "WebhookDown",
        "the admission webhook {name}, which must see its pod, cannot be called: {why}",
        START_WEBHOOK,
        obstacle.WEBHOOK)),
    (DENIED, _says(
        "Denied",
        "the admission webhook {name} refuses its pod: {why}",
        f"Change the pod to {ALLOWED_BY_WEBHOOK}",
        obstacle.FINAL)),
    (POLICY, _policy),
    (_SECURITY, _says(
        "PodSecurity",
        "its pod violates PodSecurity {level!r}: {why}",
        "Give the pod the securityContext that the message asks for.",
        obstacle.FINAL)),
    (_INVALID, _says(
        "PodInvalid",
        "its pod is not valid: {why}",
        "Correct the pod's template; what it leaves out of resources comes from "
        "environment.defaults.",
        obstacle.FINAL)),
    (_RANGE, _says(
        "LimitRange",
        "a LimitRange of the namespace forbids its pod: {why}",
        "Change the resources of its containers to what is allowed.",
        obstacle.FINAL)),
    (_ACCOUNT, _missing(
        "ServiceAccount", "Create ServiceAccount/{name}, or correct serviceAccountName.")),
    (_PRIORITY, _missing(
        "PriorityClass", "Have an administrator create it, or correct priorityClassName.")),
    (_RUNTIME, _missing(
        "RuntimeClass", "Have an administrator create it, or correct runtimeClassName.")),
)  # fmt: skip
