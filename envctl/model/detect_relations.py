"""How the parts that `init` found hang together: names, what needs what, what is reached."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from envctl.model.objects import containers, pod_specs
from envctl.model.shapes import mapping, mappings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envctl.model.found import Part
    from envctl.model.objects import Obj

_DATABASES = frozenset({
    "db", "database", "postgres", "postgresql", "mysql", "mariadb", "mongo", "mongodb",
})  # fmt: skip
_MIGRATION = re.compile(r"(.*-)?(db-)?migrat(e|ion|ions)(-.*)?")
#: Ports that speak HTTP wherever they are used.
_HTTP_PORTS = (80, 8080, 8000, 3000, 5000, 8888, 9090, 4200)
_HTTP_NAME = re.compile(r"(http|web)([-_].*)?")


def unique(parts: Iterable[Part], label: Callable[[str], str], taken: set[str]) -> list[Part]:
    """The parts with names that are valid and that no other part has; order is kept."""
    found = []
    for part in parts:
        name = wanted = label(part.name)
        for variant in (
            f"{label(part.type)}-{wanted}",
            *(f"{wanted[:17]}-{n}" for n in range(2, 1000)),
        ):
            if name not in taken:
                break
            name = label(variant)
        taken.add(name)
        found.append(replace(part, name=name))
    return found


def with_needs(parts: list[Part]) -> tuple[list[Part], list[str]]:
    """A database first, then what migrates it, then the rest; only where there is no doubt."""
    databases = [p.name for p in parts if _is_database(p)]
    migrations = [p.name for p in parts if p.type == "job" and _MIGRATION.fullmatch(p.name)]
    if len(databases) != 1 and not migrations:
        return parts, []
    first = tuple(databases) if len(databases) == 1 else ()
    notes = []
    if first:
        notes.append(f"{first[0]} is a database by its name and image: the others wait for it.")
    if migrations:
        notes.append(f"{', '.join(migrations)} migrates: what is not a database waits for it.")
    found = []
    for part in parts:
        needs = first + tuple(migrations)
        if part.name in first or _is_database(part):
            needs = ()
        elif part.name in migrations:
            needs = first
        found.append(replace(part, needs=needs))
    return found, notes


def _is_database(part: Part) -> bool:
    """By its name, or because everything that runs in it is one."""
    if part.name in _DATABASES:
        return True
    specs = [spec for obj in part.objects for spec in pod_specs(obj)]
    images = [image_name(str(c.get("image", ""))) for spec in specs for c in containers(spec)]
    return bool(images) and all(image in _DATABASES for image in images)


def image_name(reference: str) -> str:
    """``postgres`` of ``registry:5000/library/postgres:16@sha256:…``."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[0]


def with_expose(parts: list[Part]) -> tuple[list[Part], list[str]]:
    """Expose the one Service that can be meant; an Ingress that is there says which."""
    objects = [(part, obj) for part in parts for obj in part.objects]
    ingresses = [(p, o) for p, o in objects if o.get("kind") == "Ingress"]
    services = [(p, o, port) for p, o in objects if (port := _http_port(o)) is not None]
    if len(ingresses) == 1:
        return _by_ingress(parts, *ingresses[0], [(p, o) for p, o, _ in services])
    if ingresses:
        note = "Several Ingresses are there: see that no two environments have the same hosts."
        return parts, [note]
    if len(services) != 1:
        several = ", ".join(str(o["metadata"]["name"]) for _, o, _ in services)
        why = f"several speak HTTP ({several})" if several else "none speaks HTTP for sure"
        return parts, [f"No Service is exposed: {why}. `expose` says which one answers."]
    part, service, port = services[0]
    name = str(service["metadata"]["name"])
    note = f"Service/{name} is the only one that speaks HTTP"
    return _exposed(parts, part, name, port), [
        f"{part.name} answers at the environment's host: {note}."
    ]


def _by_ingress(
    parts: list[Part], part: Part, ingress: Obj, services: list[tuple[Part, Obj]]
) -> tuple[list[Part], list[str]]:
    name = ingress["metadata"]["name"]
    note = f"Ingress/{name} has a host of its own, the same in every environment"
    backends = {backend for path in _paths(ingress) if (backend := _backend(path)) is not None}
    owner = {str(o["metadata"]["name"]): p for p, o in services}
    if len(backends) != 1 or next(iter(backends))[0] not in owner:
        return parts, [f"{note}: leave it out, and say with `expose` which Service answers."]
    service, port = next(iter(backends))
    advice = f"Leave it out: `expose` makes one for Service/{service} at the environment's host"
    return _exposed(parts, owner[service], service, port), [f"{part.name}: {note}. {advice}."]


def _exposed(parts: list[Part], which: Part, service: str, port: int | str) -> list[Part]:
    return [replace(p, expose=(service, port)) if p.name == which.name else p for p in parts]


def _paths(ingress: Obj) -> list[dict[str, Any]]:
    rules = mappings(mapping(ingress.get("spec")).get("rules"))
    return [path for rule in rules for path in mappings(mapping(rule.get("http")).get("paths"))]


def _backend(path: dict[str, Any]) -> tuple[str, int | str] | None:
    service = mapping(mapping(path.get("backend")).get("service"))
    port = mapping(service.get("port"))
    found = port.get("number") or port.get("name")
    if not service.get("name") or not found or not isinstance(found, int | str):
        return None
    return str(service["name"]), found


def _http_port(obj: Obj) -> int | None:
    """The port of a Service that speaks HTTP by name or number, if exactly one does."""
    spec = mapping(obj.get("spec"))
    if obj.get("kind") != "Service" or spec.get("clusterIP") == "None":
        return None
    ports = mappings(spec.get("ports"))
    speaking = [
        p["port"] for p in ports
        if isinstance(p.get("port"), int) and p.get("protocol", "TCP") == "TCP"
        and (_HTTP_NAME.fullmatch(str(p.get("name", ""))) or p["port"] in _HTTP_PORTS)
    ]  # fmt: skip
    return int(speaking[0]) if len(speaking) == 1 else None
