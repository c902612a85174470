"""Workloads that run well, and that nobody can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.failures.case import Case, Part, Says, Twin
from tests.failures.objects import container, deployment, meta, pod, service, shell

if TYPE_CHECKING:
    from tests.failures.case import Object
    from tests.failures.stage import Stage

#: The cluster has no record of it: seconds count from the start of the command.
AT_ONCE = 20


def _named(target: str) -> Object:
    found = service()
    found["spec"]["ports"] = [{"port": 80, "targetPort": target}]
    return found


def _ingress(name: str = "web", port: int = 80, **spec: object) -> Object:
    backend = {"service": {"name": name, "port": {"number": port}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": "web.example.org", "http": {"paths": [path]}}]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta("web"),
            "spec": {"rules": rules, **spec}}  # fmt: skip


def _slow(seconds: int) -> Object:
    probe = {"exec": {"command": ["/bin/sh", "-c", "test -e /tmp/up"]}, "periodSeconds": 1}
    line = f"sleep {seconds}; touch /tmp/up; exec sleep 1000"
    return deployment(pod(shell(line, readinessProbe=probe)))


def _served(stage: Stage) -> bool:
    """Whether a ready pod is behind the Service."""
    slices = stage.kubectl.items("endpointslices", "-n", stage.namespace)
    ends = [end for part in slices for end in part.get("endpoints") or []]
    return any(end["conditions"]["ready"] for end in ends)


WEB = deployment(pod(container(ports=[{"name": "http", "containerPort": 80}])))

CASES = (
    Case(
        "service selects nothing",
        (Part((deployment(), service("web", app="wbe"))),),
        Says("Service/web", ("its selector (app=wbe) selects no pod", "Deployment/web has app=web"),
             "Correct the Service's selector"),
        within=AT_ONCE,
        # Its pods come with a later component, and take a while.
        twin=Twin(
            (Part((service(),), name="front"), Part((_slow(4),), name="back", needs=("front",))),
            done=_served,
        ),
    ),
    Case(
        "service of a port that is not there",
        (Part((WEB, _named("htpp"))),),
        Says("Service/web", ("80 leads to 'htpp'", "only 'http'"), "Correct targetPort"),
        within=AT_ONCE,
        twin=Twin((Part((WEB, _named("http"))),), done=_served),
    ),
    Case(
        "ingress class missing",
        (Part((deployment(), service(), _ingress(ingressClassName="ngnix"))),),
        Says("Ingress/web", "its class 'ngnix' does not exist", "Set ingressClassName to one"),
        within=AT_ONCE,
    ),
    Case(
        "ingress to no service",
        (Part((deployment(), service(), _ingress("api"))),),
        Says("Ingress/web", "it names Service/api, which does not exist", "Create Service/api"),
        within=AT_ONCE,
        twin=Twin(
            (Part((_ingress(),), name="front"),
             Part((deployment(), service()), name="back", needs=("front",))),
            done=_served,
        ),
    ),
    Case(
        "ingress to a port that is not there",
        (Part((deployment(), service(), _ingress(port=8080))),),
        Says("Ingress/web", "it names port 8080 of Service/web, which has 80", "Correct the port"),
        within=AT_ONCE,
    ),
)  # fmt: skip
