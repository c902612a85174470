"""Whether an Ingress leads anywhere: its class, and the Services and ports that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envctl.model import obstacle
from envctl.model.objects import Obj, annotations_of
from envctl.model.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
#: What named the class before there were IngressClasses; controllers know it without any object.
_LEGACY = "kubernetes.io/ingress.class"
#: Controllers that serve an Ingress without a class, as long as they are not told otherwise.
_SERVES_ALL = "traefik.io/"


def backends(ingress: Obj) -> list[tuple[str, Any]]:
    """Each Service that it names, with its port's number or name."""
    spec = ingress.get("spec") or {}
    found = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or []:
        paths = (rule.get("http") or {}).get("paths") or []
        found += [path.get("backend") or {} for path in paths]
    services = [backend["service"] for backend in found if backend.get("service")]
    pairs = [(str(s.get("name")), s.get("port") or {}) for s in services]
    return list(
        dict.fromkeys((name, port.get("number") or port.get("name")) for name, port in pairs)
    )


def obstacle_of(
    ingress: Obj,
    classes: Sequence[Obj] | None,
    services: Mapping[str, Obj],
    *,
    operators: bool = False,
) -> Obstacle | None:
    """Why nothing comes through the Ingress.

    ``classes`` is None where they may not be read; ``services`` are those that there are.
    """
    return _no_class(ingress, classes) or _no_backend(ingress, services, operators=operators)


def classless(ingress: Obj) -> bool:
    """Whether it names no class in any way."""
    named = (ingress.get("spec") or {}).get("ingressClassName")
    return not named and _LEGACY not in annotations_of(ingress)


def _no_class(ingress: Obj, classes: Sequence[Obj] | None) -> Obstacle | None:
    if not classes:  # not to be read, or a cluster whose controllers do without (GKE)
        return None
    names = ", ".join(sorted(c["metadata"]["name"] for c in classes))
    advice = f"Set ingressClassName to one that there is: {names}."
    named = (ingress.get("spec") or {}).get("ingressClassName")
    if named:
        if any(c["metadata"]["name"] == named for c in classes):
            return None
        return Obstacle(
            "IngressClassMissing", f"its class {named!r} does not exist, so that nothing serves it",
            advice, obstacle.FINAL,
        )  # fmt: skip
    if not classless(ingress) or _served_anyway(ingress, classes):
        return None
    return Obstacle(
        "NoIngressClass",
        "it names no class, the cluster has no default one, and nothing serves it so far",
        advice,
        obstacle.ADDRESS,
    )


def _served_anyway(ingress: Obj, classes: Sequence[Obj]) -> bool:
    if ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
        return True
    return any(
        annotations_of(c).get(_DEFAULT) == "true"
        or str((c.get("spec") or {}).get("controller", "")).startswith(_SERVES_ALL)
        for c in classes
    )


def _no_backend(ingress: Obj, services: Mapping[str, Obj], *, operators: bool) -> Obstacle | None:
    for name, port in backends(ingress):
        service = services.get(name)
        if service is None:
            return Obstacle(
                "NoSuchService", f"it names Service/{name}, which does not exist",
                f"Create Service/{name}, or correct the name in the Ingress.",
                obstacle.OPERATOR if operators else obstacle.WATCH,
            )  # fmt: skip
        spec = service.get("spec") or {}
        ports = spec.get("ports") or []
        if spec.get("type") == "ExternalName" or port is None:
            continue
        if not any(port in (p.get("port"), p.get("name")) for p in ports):
            has = ", ".join(
                f"{p.get('port')} ({p['name']})" if p.get("name") else str(p.get("port"))
                for p in ports
            )
            return Obstacle(
                "NoSuchPort", f"it names port {port} of Service/{name}, which has {has or 'none'}",
                "Correct the port in the Ingress or in the Service.",
                obstacle.FINAL,
            )  # fmt: skip
    return None
