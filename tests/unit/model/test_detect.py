"""What `init` makes of a repository: tables of files → components, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.config import starter
from envctl.model.detect import detect
from envctl.model.found import Findings, Part
from envctl.model.repository import Repository, is_production


def _obj(kind: str, name: str, api: str = "v1", **more: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


def _deployment(name: str, image: str = "web:1") -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}
    return _obj("Deployment", name, "apps/v1", spec=spec)


def _service(name: str, *ports: int | str) -> dict[str, Any]:
    items = [{"port": p} if isinstance(p, int) else {"name": p, "port": 9999} for p in ports]
    return _obj("Service", name, spec={"ports": items})


def _ingress(name: str, service: str, port: int) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"number": port}}}
    rules = [{"host": "x.example.org", "http": {"paths": [{"path": "/", "backend": backend}]}}]
    return _obj("Ingress", name, "networking.k8s.io/v1", spec={"rules": rules})


def look(files: dict[str, Any], name: str = "Shop App") -> Findings:
    """Findings of files; a value is the file's documents, or None for what is no YAML."""
    documents = {
        path: tuple(content) if isinstance(content, list) else (content,)
        for path, content in files.items()
        if content is not None
    }
    return detect(Repository(name, tuple(sorted(files)), documents), "shop", starter.label)


def parts(found: Findings) -> dict[str, tuple[str, str]]:
    return {p.name: (p.type, p.path) for p in found.components}


def left_out(found: Findings) -> dict[str, str]:
    return {s.path: s.why for s in found.skipped}


CHART = {"apiVersion": "v2", "name": "web", "version": "1.0.0"}

TABLE: dict[str, tuple[dict[str, Any], dict[str, tuple[str, str]]]] = {
    "a chart, and its own parts": (
        {
            "charts/web/Chart.yaml": CHART, "charts/web/templates/x.yaml": None,
            "charts/web/values.yaml": {}, "charts/web/crds/x.yaml": _obj("ConfigMap", "x"),
            "charts/web/charts/redis/Chart.yaml": {**CHART, "name": "redis"},
        },
        {"web": ("helm", "charts/web")},
    ),
    "a chart at the root": ({"Chart.yaml": CHART}, {"web": ("helm", ".")}),
    "charts side by side in a folder called charts": (
        {"charts/a/Chart.yaml": {**CHART, "name": "a"}, "charts/b/Chart.yaml": {"name": "b"}},
        {"a": ("helm", "charts/a"), "b": ("helm", "charts/b")},
    ),
    "a chart that another one depends on": (
        {
            "c/app/Chart.yaml": {**CHART, "name": "app", "dependencies": [
                {"name": "part", "repository": "file://../part"}]},
            "c/part/Chart.yaml": {**CHART, "name": "part"},
            "c/lib/Chart.yaml": {**CHART, "name": "lib", "type": "library"},
        },
        {"app": ("helm", "c/app")},
    ),
    "overlays": (
        {
            "k8s/base/kustomization.yaml": {"resources": ["web.yaml"]},
            "k8s/base/web.yaml": _deployment("web"),
            "k8s/overlays/production/kustomization.yaml": {"resources": ["../../base"]},
            "k8s/overlays/staging/kustomization.yaml": {"resources": ["../../base"]},
            "k8s/overlays/dev/kustomization.yaml": {"bases": ["../../base"]},
        },
        {"shop-app": ("kustomize", "k8s/overlays/dev")},
    ),
    "overlays of production only": (
        {
            "backend/base/kustomization.yaml": {"resources": ["web.yaml"]},
            "backend/overlays/prod-eu/kustomization.yaml": {"resources": ["../../base"]},
        },
        {"backend": ("kustomize", "backend/base")},
    ),
    "two families of overlays that share a component": (
        {
            "api/overlays/preview/kustomization.yaml": {"components": ["../../../common"]},
            "web/overlays/preview/kustomization.yaml": {"components": ["../../../common"]},
            "common/kustomization.yaml": {"kind": "Component"},
        },
        {
            "api": ("kustomize", "api/overlays/preview"),
            "web": ("kustomize", "web/overlays/preview"),
        },
    ),
    "plain manifests by folder": (
        {
            "deploy/web/a.yaml": _deployment("web"), "deploy/web/b.yaml": _service("web", 80),
            "deploy/queue/queue.yml": _deployment("queue"), "README.md": None,
            "config/app.yaml": {"port": 80}, ".gitlab-ci.yml": {"stages": []},
        },
        {"queue": ("manifests", "deploy/queue"), "web": ("manifests", "deploy/web")},
    ),
    "folders for environments": (
        {
            "k8s/dev/web.yaml": _deployment("web"), "k8s/prod/web.yaml": _deployment("web"),
            "k8s/staging/web.yaml": _deployment("web"),
        },
        {"shop-app": ("manifests", "k8s/dev")},
    ),
    "names that are no names, or are taken": (
        {
            "a/My_Web/x.yaml": _deployment("a"), "b/my-web/x.yaml": _deployment("b"),
            "9lives/x.yaml": _deployment("c"), "guardrails/x.yaml": _deployment("d"),
        },
        {
            "app-9lives": ("manifests", "9lives"), "my-web": ("manifests", "a/My_Web"),
            "manifests-my-web": ("manifests", "b/my-web"),
            "guardrails-app": ("manifests", "guardrails"),
        },
    ),
    "what lies aside": (
        {
            "examples/x/Chart.yaml": CHART, "vendor/y/kustomization.yaml": {},
            "web.yaml": _deployment("web"),
        },
        {"shop-app": ("manifests", ".")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_components(case: str) -> None:
    files, wanted = TABLE[case]
    assert parts(look(files)) == wanted


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("d/x.yaml", _obj("Namespace", "x"), "lies outside of namespaces"),
        ("d/x.yaml", [_deployment("x"), _obj("ClusterRole", "x", "rbac.authorization.k8s.io/v1")],
         "ClusterRole/x lies outside"),
        ("d/x.yaml", _obj("CustomResourceDefinition", "x.y", "apiextensions.k8s.io/v1"),
         "lies outside"),
        ("d/x.yaml", _obj("Certificate", "x", "cert-manager.io/v1"), "not every cluster serves"),
        ("d/x.yaml", {**_obj("ConfigMap", "x"), "metadata": {"name": "x", "namespace": "shop"}},
         "names the namespace 'shop'"),
        ("d/prod.yaml", _obj("ConfigMap", "x"), "for production"),
        ("d/a[1].yaml", _obj("ConfigMap", "x"), "reads as a pattern"),
        ("docker-compose.yml", {"services": {}}, "Compose is not Kubernetes"),
        ("lib/Chart.yaml", {**CHART, "type": "library"}, "a library"),
    ],
)  # fmt: skip
def test_what_an_environment_may_not_have_is_left_out_and_said(
    path: str, content: Any, why: str
) -> None:
    found = look({path: content, "web/web.yaml": _deployment("web")})
    assert parts(found) == {"web": ("manifests", "web")}
    (reason,) = left_out(found).values()
    assert why in reason


def test_a_folder_becomes_a_pattern_only_where_all_of_it_is_meant() -> None:
    whole = look({"w/a.yaml": _deployment("a"), "w/b.yaml": _deployment("b")})
    assert whole.components[0].files == ("w/*.yaml",)
    part = look({"w/a.yaml": _deployment("a"), "w/b.yaml": _deployment("b"), "w/v.yaml": {"a": 1}})
    assert part.components[0].files == ("w/a.yaml", "w/b.yaml")


def test_the_same_object_is_deployed_once() -> None:
    found = look({"a/x.yaml": _deployment("web"), "b/x.yaml": _deployment("web")})
    assert parts(found) == {"a": ("manifests", "a")}
    assert "a/x.yaml has Deployment/web already" in left_out(found)["b/x.yaml"]


def test_values_for_previews_are_taken() -> None:
    files = {"web/Chart.yaml": CHART, "web/values.yaml": {}, "web/values-prod.yaml": {},
             "web/values-staging.yaml": {}, "web/values.dev.yaml": {}}  # fmt: skip
    (chart,) = look(files).components
    assert chart.values == ("web/values.dev.yaml",)


def test_jobs_and_checks() -> None:
    found = look({
        "deploy/migrate.yaml": _obj("Job", "migrate", "batch/v1"),
        "tests/smoke.yaml": _obj("Job", "smoke", "batch/v1"),
        "deploy/db/db.yaml": _deployment("db", "registry:5000/library/postgres:16@sha256:00"),
        "deploy/web/web.yaml": _deployment("web"),
    })  # fmt: skip
    assert {p.name: p.needs for p in found.components} == {
        "db": (), "migrate": ("db",), "web": ("db", "migrate")
    }  # fmt: skip
    assert found.components[0].name == "db"
    assert [(p.name, p.type, p.path) for p in found.checks] == [
        ("smoke", "job", "tests/smoke.yaml")
    ]


def test_without_certainty_nothing_waits() -> None:
    found = look({
        "a/x.yaml": _deployment("x", "postgres:16"), "b/y.yaml": _deployment("y", "mysql"),
        "c/z.yaml": _deployment("z"),
    })  # fmt: skip
    assert all(not p.needs for p in found.components)


def test_skaffold_names_its_releases_and_gives_their_order() -> None:
    release = {"name": "front", "chartPath": "charts/web", "valuesFiles": ["dev.yaml", "gone.yaml"]}
    skaffold = {"apiVersion": "skaffold/v4", "kind": "Config",
                "build": {"artifacts": [{"image": "shop/api"}]},
                "deploy": {"helm": {"releases": [
                    {"name": "store", "chartPath": "charts/store"}, release]}}}  # fmt: skip
    found = look({"skaffold.yaml": skaffold, "dev.yaml": {}, "charts/web/Chart.yaml": CHART,
                  "charts/store/Chart.yaml": {**CHART, "name": "s"}})  # fmt: skip
    assert [(p.name, p.needs, p.values) for p in found.components] == [
        ("store", (), ()), ("front", ("store",), ("dev.yaml",))
    ]  # fmt: skip
    assert any("skaffold builds shop/api" in note for note in found.notes)


@pytest.mark.parametrize(
    ("objects", "expose"),
    [
        ([_service("web", 8080)], ("web", 8080)),
        ([_service("web", "http-api")], ("web", 9999)),
        ([_service("db", 5432)], None),
        ([_service("web", 80), _service("api", 80)], None),
        ([_service("web", 80, 8080)], None),
        ([_service("web", 80), _service("api", 80), _ingress("i", "api", 80)], ("api", 80)),
        ([_service("web", 80), _ingress("i", "gone", 80)], None),
        ([_service("web", 80), _ingress("i", "web", 80), _ingress("j", "web", 80)], None),
    ],
)
def test_expose_is_guessed_only_where_one_can_be_meant(
    objects: list[dict[str, Any]], expose: tuple[str, int] | None
) -> None:
    found = look({"w/x.yaml": objects})
    assert found.components[0].expose == expose
    assert any("Service" in note or "Ingress" in note for note in found.notes)


def test_remote_dependencies_are_pointed_out() -> None:
    chart = {**CHART, "dependencies": [{"name": "redis", "repository": "https://x.example.org"}]}
    found = look({"web/Chart.yaml": chart})
    assert any("helm dependency build web" in note for note in found.notes)
    brought = look({"web/Chart.yaml": chart, "web/charts/redis-1.0.tgz": None})
    assert not any("helm dependency" in note for note in brought.notes)


def test_a_kustomization_that_sets_a_namespace_is_pointed_out() -> None:
    found = look({"web/kustomization.yaml": {"namespace": "shop"}})
    assert any("remove the line" in note for note in found.notes)


@pytest.mark.parametrize(
    ("word", "production"),
    [("prod", True), ("Production", True), ("prod-eu", True), ("eu-prod", True), ("live", True),
     ("product", False), ("reproduction", False), ("delivery", False), ("dev", False)],
)  # fmt: skip
def test_production_is_known_by_its_name(word: str, production: bool) -> None:
    assert is_production(word) is production


def test_a_service_is_exposed_by_the_name_that_kustomize_gives_it() -> None:
    found = look({
        "w/base/kustomization.yaml": {"resources": ["s.yaml"], "nameSuffix": "-v1"},
        "w/base/s.yaml": _service("web", 80),
        "w/overlays/dev/kustomization.yaml": {"resources": ["../../base"], "namePrefix": "dev-"},
    })  # fmt: skip
    assert found.components[0].expose == ("dev-web-v1", 80)


def test_parts_are_public_json() -> None:
    part = Part("web", "helm", "charts/web", "a Helm chart")
    assert part.as_json()["needs"] == []
