"""Whether a Service leads anywhere: its selector, the pods that are or will be, its end points.

Pods may get labels while they run (which of them leads), workloads may be scaled to nothing, and
operators make pods that no manifest shows: a Service is only called broken where none of that can
be the reason.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.model import obstacle
from envctl.model.objects import Key, Obj, containers, key_of, labels_of, pod_specs
from envctl.model.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Label of an EndpointSlice: the Service that it belongs to.
SERVICE_NAME = "kubernetes.io/service-name"
#: Kinds whose pods end, and serve nobody after that.
_ENDING = frozenset({"Job", "CronJob"})
#: In labels that programs and controllers give to pods that run: the leader, the pod's number.
_GIVEN_LATER = ("role", "leader", "master", "primary", "patroni", "pod-name", "pod-index")


class Fit(enum.IntEnum):
    """How a selector fits a workload: ``MAYBE`` if its pods may still get what they lack."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Maker:
    """A workload that makes pods: their labels and spec, and whether any that stay are wanted."""

    key: Key
    labels: dict[str, str]
    spec: Obj
    lasting: bool


def maker(obj: Obj) -> Maker | None:
    """The pods that a workload makes; None for what makes none."""
    specs = pod_specs(obj)
    if not specs:
        return None
    kind, spec = obj.get("kind"), obj.get("spec") or {}
    if kind == "CronJob":
        spec = ((spec.get("jobTemplate") or {}).get("spec")) or {}
    labels = labels_of(obj) if kind == "Pod" else labels_of(spec.get("template") or {})
    return Maker(key_of(obj), labels, specs[0], kind not in _ENDING and _scaled(obj))


def _scaled(obj: Obj) -> bool:
    """Whether it is to have any pod now: zero replicas and no node for a DaemonSet are healthy."""
    if obj.get("kind") == "DaemonSet":
        return int((obj.get("status") or {}).get("desiredNumberScheduled", 0)) > 0
    if obj.get("kind") == "Pod":
        return (obj.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    return bool((obj.get("spec") or {}).get("replicas", 1))


def selector_of(service: Obj) -> dict[str, str]:
    """The labels by which it finds pods; empty where its end points are not made for it."""
    spec = service.get("spec") or {}
    return {} if spec.get("type") == "ExternalName" else spec.get("selector") or {}


def fit(selector: dict[str, str], labels: dict[str, str]) -> Fit:
    """Whether pods with these labels, and more that they may get, are selected."""
    if any(key in labels and labels[key] != value for key, value in selector.items()):
        return Fit.NO
    same = sum(1 for key in selector if key in labels)
    if same == len(selector):
        return Fit.YES
    return Fit.MAYBE if same else Fit.NO


def obstacle_of(
    service: Obj,
    makers: Sequence[Maker],
    pods: Iterable[Obj],
    slices: Iterable[Obj],
    *,
    operators: bool = False,
) -> Obstacle | None:
    """Why the Service leads nowhere; None where it does, or need not.

    ``operators`` is whether something in the environment may make pods that no manifest shows.
    """
    selector = selector_of(service)
    if not selector or ready_ports(service, slices) is not None:
        return None
    live = [pod for pod in pods if _counts(pod) and fit(selector, labels_of(pod)) is Fit.YES]
    fits = [m for m in makers if fit(selector, m.labels) is not Fit.NO]
    if not live and not any(fit(selector, m.labels) is Fit.YES for m in fits):
        return _nothing(selector, makers, fits, operators=operators)
    if not live and not any(m.lasting for m in fits):
        return None
    specs = [pod["spec"] for pod in live] or [m.spec for m in fits]
    missing = unserved(service, specs)
    if missing and len(missing) == len((service.get("spec") or {}).get("ports") or []):
        return _no_port(missing, specs)
    if not live:
        return Obstacle("NoEndpoints", "its pods are not there yet")
    return Obstacle("NoEndpoints", f"none of its {len(live)} pods is ready")


def ready_ports(service: Obj, slices: Iterable[Obj]) -> set[str] | None:
    """The names of the ports behind which a ready pod is; None where there is no such pod."""
    found: set[str] = set()
    portless = not (service.get("spec") or {}).get("ports")
    served = portless_ready = False
    for part in slices:
        ready = [e for e in part.get("endpoints") or [] if _ready(e)]
        ports = part.get("ports") or []
        if ready and ports:
            served = True
            found |= {str(port.get("name") or "") for port in ports}
        portless_ready |= bool(ready)
    return found if served or (portless and portless_ready) else None


def unserved(service: Obj, specs: Sequence[Obj]) -> list[dict[str, Any]]:
    """The ports that lead to a name which no container of these pods gives to a port."""
    names = {str(p.get("name")) for spec in specs for p in _ports(spec)}
    return [
        port
        for port in (service.get("spec") or {}).get("ports") or []
        if isinstance(port.get("targetPort"), str) and port["targetPort"] not in names
    ]


def given_later(selector: dict[str, str], makers: Iterable[Maker]) -> bool:
    """Whether what the pods lack is something that only one of them may ever get."""
    return any(
        all(_runtime(key) for key in selector if key not in maker.labels)
        for maker in makers
        if fit(selector, maker.labels) is Fit.MAYBE
    )


def _runtime(key: str) -> bool:
    return any(word in key.rpartition("/")[2].lower() for word in _GIVEN_LATER)


def _ports(spec: Obj) -> list[dict[str, Any]]:
    return [port for container in containers(spec) for port in container.get("ports") or []]


def _counts(pod: Obj) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def _ready(endpoint: Obj) -> bool:
    return bool(endpoint.get("addresses")) and (endpoint.get("conditions") or {}).get(
        "ready", True
    ) in (True, None)


def _nothing(
    selector: dict[str, str], makers: Sequence[Maker], fits: Sequence[Maker], *, operators: bool
) -> Obstacle | None:
    words = ", ".join(f"{key}={value}" for key, value in selector.items())
    if given_later(selector, fits):
        return None
    if fits:
        lacks = ", ".join(f"{k}={v}" for k, v in selector.items() if k not in fits[0].labels)
        return Obstacle(
            "SelectsNothing",
            f"its selector ({words}) selects no pod: those of {fits[0].key} lack {lacks}",
            f"Add {lacks} to the pod template's labels in {fits[0].key}, or correct the selector.",
            obstacle.OPERATOR,
        )
    near = next((m for m in makers if m.lasting and m.labels), None)
    has = f" ({near.key} has {_labels(near.labels)})" if near else ""
    return Obstacle(
        "SelectsNothing",
        f"its selector ({words}) selects no pod of this environment{has}",
        "Correct the Service's selector, or the labels in the pod template that it is meant for.",
        obstacle.OPERATOR if operators else obstacle.FINAL,
    )


def _labels(labels: dict[str, str]) -> str:
    shown = [f"{k}={v}" for k, v in labels.items() if not k.startswith("envctl.dev/")]
    return ", ".join(shown[:4])


def _no_port(missing: list[dict[str, Any]], specs: Sequence[Obj]) -> Obstacle:
    names = sorted({str(p["name"]) for spec in specs for p in _ports(spec) if p.get("name")})
    wanted = ", ".join(f"{p.get('port')} leads to {p['targetPort']!r}" for p in missing)
    has = f"only {', '.join(map(repr, names))}" if names else "no port with a name"
    return Obstacle(
        "NoSuchPort",
        f"its port {wanted}, and its pods have {has}",
        "Correct targetPort in the Service, or the name of the port in the container.",
        obstacle.FINAL,
    )
