"""What stands in a namespace before any workload: pure functions from the spec to objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envctl.model import environment as env
from envctl.model.lifetime import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.model.environment import Environment
    from envctl.model.objects import Obj
    from envctl.model.spec import Component, Expose, Guardrails, Spec

#: Namespaces in which ingress controllers usually live; a cluster with another one labels it.
INGRESS_NAMESPACES = ["traefik", "ingress-nginx", "ingress", "istio-system", "kube-system"]
INGRESS_LABEL = "envctl.dev/ingress-controller"


def namespace(environment: Environment, spec: Spec) -> Obj:
    """The Namespace itself, with Pod Security labels and what ``list`` shows."""
    notes = {
        env.OWNER: environment.owner,
        env.COMMIT: environment.commit,
        env.PIPELINE: environment.pipeline,
        env.MERGE_REQUEST: environment.merge_request,
        env.URL: environment.url,
        env.FORGE_PROJECT: environment.forge_project,
        env.PHASE: str(env.Phase.CREATING),
    }
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": environment.namespace,
            "labels": {
                **environment.labels,
                **security_labels(spec.guardrails),
                **({env.PROFILE: "confined"} if spec.guardrails.confined else {}),
            },
            "annotations": {key: value for key, value in notes.items() if value}
            | limits(environment.ttl, environment.max_age),
        },
    }


def security_labels(guardrails: Guardrails) -> dict[str, str]:
    """Pod Security admission: enforce what the profile says, warn about restricted."""
    prefix = "pod-security.kubernetes.io"
    return {
        f"{prefix}/enforce": guardrails.security,
        f"{prefix}/enforce-version": "latest",
        f"{prefix}/warn": "restricted",
    }


def objects(spec: Spec) -> list[Obj]:
    """Quota, limits, network policies and the default service account, in this order."""
    found: list[Obj] = []
    guard = spec.guardrails
    if guard.quota:
        found.append(_object("v1", "ResourceQuota", "envctl", {"hard": dict(guard.quota)}))
    if any(guard.container_defaults.values()):
        limit = {"type": "Container", **{k: dict(v) for k, v in guard.container_defaults.items()}}
        found.append(_object("v1", "LimitRange", "envctl", {"limits": [limit]}))
    found.append(_policy(guard))
    account = _object("v1", "ServiceAccount", "default", None)
    account["automountServiceAccountToken"] = False
    found.append(account)
    return found


def _object(api_version: str, kind: str, name: str, spec: Any) -> Obj:
    obj: Obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}
    return obj if spec is None else {**obj, "spec": spec}


def _policy(guard: Guardrails) -> Obj:
    """One policy that selects every pod: what it does not list is denied."""
    return _object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "envctl",
        {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [_rule(word, "from") for word in guard.ingress],
            "egress": [_rule(word, "to") for word in guard.egress],
        },
    )


_DNS_PORTS = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
#: What `internet` leaves out: private, link-local and shared addresses.
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"]


def _rule(word: str | Mapping[str, Any], direction: str) -> Obj:
    if not isinstance(word, str):
        return dict(word)
    if word == "same-environment":
        return {direction: [{"podSelector": {}}]}
    if word == "dns":
        return {direction: [{"namespaceSelector": {}}], "ports": _DNS_PORTS}
    if word == "ingress-controller":
        return {
            direction: [
                {"namespaceSelector": {"matchExpressions": [_named(INGRESS_NAMESPACES)]}},
                {"namespaceSelector": {"matchLabels": {INGRESS_LABEL: "true"}}},
            ]
        }
    if word == "internet":
        return {direction: [{"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}]}
    return {}  # anything


def _named(names: list[str]) -> Obj:
    return {"key": "kubernetes.io/metadata.name", "operator": "In", "values": names}


def ingress(component: Component, spec: Spec) -> Obj | None:
    """The Ingress that ``expose`` stands for, or None."""
    expose = component.expose
    if expose is None:
        return None
    port = {"number": expose.port} if isinstance(expose.port, int) else {"name": expose.port}
    path = {
        "path": expose.path,
        "pathType": "Prefix",
        "backend": {"service": {"name": expose.service, "port": port}},
    }
    body: dict[str, Any] = {"rules": [{"host": spec.host, "http": {"paths": [path]}}]}
    if spec.url.startswith("https://"):
        body["tls"] = [{"hosts": [spec.host]}]
    if spec.ingress_class:
        body["ingressClassName"] = spec.ingress_class
    return _object("networking.k8s.io/v1", "Ingress", _ingress_name(component.name, expose), body)


def _ingress_name(component: str, expose: Expose) -> str:
    return component if component == expose.service else f"{component}-{expose.service}"
