"""``doctor``: everything that ``up`` will need, looked at before it is needed; nothing is written.

Each finding stands for itself: one that fails does not hide the others, except that without a
cluster nothing can be asked of it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Forbidden
from envctl.model import permissions
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.finding import Finding, Verdict, fail, failed, ok, warn
from envctl.model.objects import NAMESPACE, Resource, annotations_of
from envctl.ports import attempt
from envctl.workflow import granting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from envctl.model.spec import Spec
    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster
    from envctl.ports.machine import Machine, Tool

#: Seconds that one question may take, with all its retries.
PATIENCE = 10.0
#: Questions in flight at once.
AT_ONCE = 24
#: The oldest Kubernetes whose paths and behaviour envctl relies on.
OLDEST = (1, 29)
#: Seconds before its end from which on a credential is worth a warning: a long run may outlive it.
SOON = 900.0
_INGRESS_CLASS = Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False)
_STORAGE_CLASS = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False)
_DEFAULT_INGRESS = "ingressclass.kubernetes.io/is-default-class"
_DEFAULT_STORAGE = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom to examine. ``namespace`` is the environment's, or empty where none is meant."""

    cluster: Cluster
    machine: Machine
    clock: Clock
    namespace: str = ""
    spec: Spec | None = None


async def of_cluster(patient: Patient) -> list[Finding]:
    """What the cluster answers, what it lets us do, and what it has."""
    answer = await _asked("cluster", _answers, patient)
    if answer[0].result is Verdict.FAIL:
        return answer
    who = await _who(patient)
    questions = (_credential, _system, _ingress, _storage)
    found = await asyncio.gather(
        *(_asked(q.__name__.strip("_"), q, patient) for q in questions),
        _asked("permissions", lambda p: _permissions(p, who), patient),
    )
    credential = [_with_name(finding, who) for finding in found[0]]
    return [*answer, *credential, *found[-1], *(f for part in found[1:-1] for f in part)]


async def _asked(
    name: str, question: Callable[[Patient], Awaitable[list[Finding]]], patient: Patient
) -> list[Finding]:
    try:
        with attempt.within(PATIENCE):
            return await question(patient)
    except Forbidden as error:
        # What is needed to work is asked for under "permissions"; this only helps to look.
        return [warn(name, f"it cannot be seen: {error.why}", error.next)]
    except EnvctlError as error:
        return [failed(name, error)]


async def _answers(patient: Patient) -> list[Finding]:
    await patient.cluster.call("GET", "/version")  # the connection is opened by the first
    began = patient.clock.monotonic()
    version = await patient.cluster.call("GET", "/version")
    took = (patient.clock.monotonic() - began) * 1000
    text = str(version.get("gitVersion", ""))
    detail = f"Kubernetes {text} answers in {took:.0f} ms"
    match = re.match(r"v(\d+)\.(\d+)", text)
    if match and (int(match[1]), int(match[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return [fail("cluster", f"{detail}; it is too old", f"Use Kubernetes {oldest} or newer.")]
    return [ok("cluster", detail)]


async def _who(patient: Patient) -> str:
    """The user's name as the server sees it; empty where it does not say (before 1.28)."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    try:
        with attempt.within(PATIENCE):
            answer = await patient.cluster.call("POST", path, body)
    except EnvctlError:
        return ""
    return str(((answer.get("status") or {}).get("userInfo") or {}).get("username", ""))


def _with_name(finding: Finding, who: str) -> Finding:
    detail = f"{who}, {finding.detail}" if who else finding.detail
    return Finding(finding.name, finding.result, detail, finding.next)


async def _credential(patient: Patient) -> list[Finding]:
    end = patient.machine.credential_end()
    if end is None:
        return [ok("credential", "it does not say until when it is good")]
    left = (end - patient.clock.now()).total_seconds()
    until = end.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    renew = "Renew it, or log in again."
    if left <= 0:
        return [fail("credential", f"it expired at {until}", renew)]
    if left < SOON:
        return [warn("credential", f"it is good only until {until}", renew)]
    return [ok("credential", f"it is good until {until}")]


async def _permissions(patient: Patient, who: str) -> list[Finding]:
    needed = permissions.needed()
    slots = asyncio.Semaphore(AT_ONCE)

    async def allowed(permission: permissions.Permission) -> bool:
        async with slots:
            answer = await patient.cluster.call(
                "POST",
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                permission.review(patient.namespace),
            )
        return bool((answer.get("status") or {}).get("allowed"))

    answers = await asyncio.gather(*(allowed(permission) for permission in needed))
    denied = [p for p, granted in zip(needed, answers, strict=True) if not granted]
    if denied and await granting.will_bind(patient.cluster, patient.namespace):
        denied = granting.not_bound(denied)
    return permissions.findings(denied, len(needed), who)


async def _system(patient: Patient) -> list[Finding]:
    found = await patient.cluster.get(NAMESPACE, SYSTEM_NAMESPACE)
    if found is None:
        return [ok("system", f"{SYSTEM_NAMESPACE} will be made by the first `envctl up`")]
    return [ok("system", f"{SYSTEM_NAMESPACE} is there")]


async def _ingress(patient: Patient) -> list[Finding]:
    classes = await patient.cluster.list(_INGRESS_CLASS)
    names = [str(c["metadata"]["name"]) for c in classes]
    default = [str(c["metadata"]["name"]) for c in classes if _is_default(c, _DEFAULT_INGRESS)]
    wanted = patient.spec.ingress_class if patient.spec else ""
    if wanted and wanted not in names:
        return [fail(
            "ingress", f"there is no IngressClass {wanted!r}, only {', '.join(names) or 'none'}",
            "Correct environment.ingressClass in envctl.yaml, or install that controller.",
        )]  # fmt: skip
    if not names:
        return [warn(
            "ingress", "there is no IngressClass, so no ingress controller",
            "Install one (traefik, ingress-nginx), or do without URLs.",
        )]  # fmt: skip
    if not (wanted or default):
        return [warn(
            "ingress", f"none of {', '.join(names)} is the default IngressClass",
            "Name one with environment.ingressClass in envctl.yaml, or mark one as default.",
        )]  # fmt: skip
    return [ok("ingress", f"IngressClass {wanted or default[0]}")]


async def _storage(patient: Patient) -> list[Finding]:
    classes = await patient.cluster.list(_STORAGE_CLASS)
    default = [str(c["metadata"]["name"]) for c in classes if _is_default(c, _DEFAULT_STORAGE)]
    if default:
        return [ok("storage", f"StorageClass {default[0]} is the default")]
    return [warn(
        "storage", "there is no default StorageClass",
        "Name one in every PersistentVolumeClaim, or mark one as default.",
    )]  # fmt: skip


def _is_default(obj: dict[str, object], annotation: str) -> bool:
    return annotations_of(obj).get(annotation) == "true"


async def of_machine(machine: Machine, spec: Spec | None) -> list[Finding]:
    """The tools that component types need."""
    types = {component.type for component in spec.components} if spec else set()
    helm, kustomize = await asyncio.gather(machine.helm(), machine.kustomize())
    return [
        _tool("helm", helm, needed=not {"helm", "chart"}.isdisjoint(types)),
        _tool("kustomize", kustomize, needed="kustomize" in types),
    ]


def _tool(kind: str, tool: Tool, *, needed: bool) -> Finding:
    judge = fail if needed else warn
    if not tool.path:
        return judge(
            kind, f"it is neither on PATH nor in ENVCTL_{kind.upper()}",
            f"Install it for components of type {kind}; `envctl local start` brings one.",
        )  # fmt: skip
    if tool.problem:
        return judge(kind, tool.problem, "Install another, or name it with "
                     f"ENVCTL_{kind.upper()}.")  # fmt: skip
    return ok(kind, f"{tool.name} {tool.version} ({tool.path})")
