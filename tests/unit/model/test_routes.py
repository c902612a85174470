"""A table of Ingresses: which lead somewhere, and which never will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envctl.model import routes
from envctl.model.obstacle import ADDRESS, FINAL, OPERATOR, WATCH

if TYPE_CHECKING:
    from envctl.model.objects import Obj


def ingress(name: str = "web", port: Any = None, notes: Any = None, **spec: Any) -> Obj:
    backend = {"service": {"name": name, "port": port or {"number": 80}}}
    return {"kind": "Ingress", "metadata": {"name": "web", "annotations": notes or {}},
            "spec": {"rules": [{"http": {"paths": [{"backend": backend}]}}], **spec}}  # fmt: skip


def klass(name: str, controller: str = "k8s.io/ingress-nginx", *, default: bool = False) -> Obj:
    notes = {"ingressclass.kubernetes.io/is-default-class": str(default).lower()}
    return {"metadata": {"name": name, "annotations": notes}, "spec": {"controller": controller}}


SERVICES: dict[str, Obj] = {
    "web": {"spec": {"ports": [{"name": "http", "port": 80}, {"port": 81}]}},
    "far": {"spec": {"type": "ExternalName", "externalName": "example.org"}},
}
NGINX = [klass("nginx")]
OLD = {"kubernetes.io/ingress.class": "nginx"}
SERVED = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}

TABLE: list[tuple[str, Obj, list[Obj] | None, tuple[str, float] | None]] = [
    ("its class is there", ingress(ingressClassName="nginx"), NGINX, None),
    ("its class is not", ingress(ingressClassName="ngnix"), NGINX, ("IngressClassMissing", FINAL)),
    ("classes may not be read", ingress(ingressClassName="ngnix"), None, None),
    ("a cluster without classes", ingress(), [], None),
    ("no class, no default", ingress(), NGINX, ("NoIngressClass", ADDRESS)),
    ("no class, a default", ingress(), [klass("a", default=True)], None),
    ("a controller of all", ingress(), [klass("t", "traefik.io/ingress-controller")], None),
    ("no class, served", {**ingress(), "status": SERVED}, NGINX, None),
    ("the old annotation", ingress(notes=OLD), NGINX, None),
    ("no such service", ingress("api"), None, ("NoSuchService", WATCH)),
    ("no such port", ingress(port={"number": 8080}), None, ("NoSuchPort", FINAL)),
    ("no such port name", ingress(port={"name": "htpp"}), None, ("NoSuchPort", FINAL)),
    ("a port by name", ingress(port={"name": "http"}), None, None),
    ("a service elsewhere", ingress("far"), None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("obj", "classes", "wanted"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_an_ingress(obj: Obj, classes: list[Obj] | None, wanted: tuple[str, float] | None) -> None:
    found = routes.obstacle_of(obj, classes, SERVICES)
    assert (found and (found.reason, found.patience)) == wanted
    assert found is None or found.next


def test_what_an_operator_may_make_is_waited_for() -> None:
    found = routes.obstacle_of(ingress("api"), None, {}, operators=True)
    assert found is not None
    assert found.patience == OPERATOR


def test_backends_are_found_wherever_they_stand() -> None:
    spec = {"defaultBackend": {"service": {"name": "d", "port": {"number": 1}}},
            "rules": [{"host": "a"}, {"http": {"paths": [{"backend": {}}]}}]}  # fmt: skip
    assert routes.backends({"spec": spec}) == [("d", 1)]


def test_the_words() -> None:
    found = routes.obstacle_of(ingress(port={"number": 8080}), None, SERVICES)
    assert found is not None
    assert "names port 8080 of Service/web, which has 80 (http), 81" in found.message
