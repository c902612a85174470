"""Where an environment answers: the URL it was given, and every host of its Ingresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envctl.model.objects import Obj


def urls(own: str, ingresses: Sequence[Obj], base: str = "") -> tuple[str, ...]:
    """The environment's own URL first, then one for each other host.

    ``base`` is the URL at which the cluster's ingress controller answers, where that is known (the
    embedded cluster's): hosts below ``localhost`` are reached through its port.
    """
    found = {urlsplit(own).hostname: own} if own else {}
    for ingress in ingresses:
        for host, secure in _hosts(ingress):
            found.setdefault(host, _url(host, base, secure=secure))
    return tuple(found.values())


def _hosts(ingress: Obj) -> Iterator[tuple[str, bool]]:
    spec: dict[str, Any] = ingress.get("spec") or {}
    secured = {host for entry in spec.get("tls") or [] for host in entry.get("hosts") or []}
    rules = spec.get("rules") or []
    for rule in rules:
        host = rule.get("host", "")
        if host and not host.startswith("*"):  # a wildcard is no address
            yield host, host in secured
    if all(not rule.get("host") for rule in rules):  # it takes every host: its own address will do
        for host in _addresses(ingress):
            yield host, bool(spec.get("tls"))


def _addresses(ingress: Obj) -> list[str]:
    balancer = (ingress.get("status") or {}).get("loadBalancer") or {}
    found = [entry.get("hostname") or entry.get("ip") for entry in balancer.get("ingress") or []]
    return [address for address in found if address]


def _url(host: str, base: str, *, secure: bool) -> str:
    local = urlsplit(base)
    if host.endswith(".localhost") and local.port:
        return f"{local.scheme}://{host}:{local.port}/"
    address = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{address}/"
