"""Orders, differences, guardrails and Helm's records: everything a plan is made of."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model import diff, graph, guardrails, helm
from envctl.model.environment import Environment, Phase, info_of
from envctl.model.objects import Key, Resource, containers, digest, key_of, pod_specs
from envctl.model.plan import repeated, shared_objects, wave
from envctl.model.spec import Component, Expose, Guardrails, ManifestsSource, Spec

ENVIRONMENT = Environment("shop", "fix", "shop-fix", owner="ann", commit="c", url="https://x/")


@st.composite
def needs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Graphs without a circle: each node needs earlier ones only; then shuffled."""
    size = draw(st.integers(0, 8))
    names = [f"n{i}" for i in range(size)]
    found = [(n, draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else [])
             for i, n in enumerate(names)]  # fmt: skip
    return dict(draw(st.permutations(found)))


@given(needs())
def test_an_order_respects_needs_and_is_always_the_same(found: dict[str, list[str]]) -> None:
    ordered = graph.order(found)
    assert sorted(ordered) == sorted(found)
    place = {name: i for i, name in enumerate(ordered)}
    assert all(place[need] < place[name] for name, wanted in found.items() for need in wanted)
    assert graph.order(found) == ordered
    assert graph.find_cycle(found) == []


@given(needs(), st.data())
def test_dependants_are_those_that_cannot_go_on(
    found: dict[str, list[str]],
    data: st.DataObject,
) -> None:
    if not found:
        return
    name = data.draw(st.sampled_from(sorted(found)))
    waiting = graph.dependants(found, name)
    for other, wanted in found.items():
        assert (other in waiting) == bool({name, *waiting} & set(wanted))


def test_a_circle_is_found_and_closed() -> None:
    cycle = graph.find_cycle({"a": ["b"], "b": ["c"], "c": ["a"], "d": []})
    assert cycle[0] == cycle[-1]
    assert set(cycle) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("api_version", "kind", "number"),
    [
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", 0),
        ("v1", "ConfigMap", 1),
        ("v1", "PersistentVolumeClaim", 1),
        ("rbac.authorization.k8s.io/v1", "Role", 0),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", 1),
        ("apps/v1", "Deployment", 2),
        ("batch/v1", "Job", 2),
        ("networking.k8s.io/v1", "Ingress", 2),
        ("example.org/v1", "Widget", 2),
        ("policy/v1", "PodDisruptionBudget", 1),
    ],
)
def test_waves(api_version: str, kind: str, number: int) -> None:
    assert wave({"apiVersion": api_version, "kind": kind}) == number


def test_two_owners_of_one_object_are_found_whatever_its_version() -> None:
    one = key_of({"apiVersion": "apps/v1", "kind": "D", "metadata": {"name": "x"}})
    other = key_of({"apiVersion": "apps/v2", "kind": "D", "metadata": {"name": "x"}})
    assert shared_objects({"a": [one], "b": [other], "c": [Key("", "D", "", "x")]}) == [
        (one, "a", "b"),
    ]


def test_an_object_that_is_named_twice() -> None:
    obj = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
    assert repeated([obj, {**obj, "kind": "ConfigMap"}]) is None
    assert str(repeated([obj, obj])) == "Secret/x"


# Differences


def secret(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, **more}


def test_a_secrets_values_are_never_shown() -> None:
    note = "kubectl.kubernetes.io/last-applied-configuration"
    before = secret(data={"a": "b2xk", "gone": "Z29uZQ=="}, stringData={"s": "older"})
    before["metadata"]["annotations"] = {note: '{"data":{"a":"b2xk"}}'}
    after = secret(data={"a": "bmV3", "new": "bmV3"}, type="Opaque")
    after["metadata"]["annotations"] = {note: '{"data":{"a":"bmV3"}}'}
    for found in (diff.fields(before, after), diff.fields({}, before), diff.fields(before, {})):
        text = repr(found)
        assert "b2xk" not in text
        assert "bmV3" not in text
        assert "older" not in text
        assert diff.MASK in text
    paths = {c.path: (c.before, c.after) for c in diff.fields(before, after)}
    assert paths["data.gone"] == (diff.MASK, None)
    assert paths["data.new"] == (None, diff.MASK)
    assert paths["type"] == (None, "Opaque")


def test_differences_name_list_items_as_kubernetes_merges_them() -> None:
    before = {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b"}], "args": [1]}}
    after = {"spec": {"containers": [{"name": "b"}, {"name": "a", "image": "a:2"}],
                      "args": [1, 2]}}  # fmt: skip
    found = {c.path: (c.before, c.after) for c in diff.fields(before, after)}
    assert found == {"spec.args[1]": (None, 2), "spec.containers[a].image": ("a:1", "a:2")}


JSON = st.recursive(
    st.none() | st.integers(0, 2) | st.sampled_from("xy"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "port", "spec", "data"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(JSON, JSON)
def test_only_what_differs_differs(one: object, other: object) -> None:
    assert diff.fields({"spec": one}, {"spec": one}) == ()
    for change in diff.fields({"spec": one}, {"spec": other}):
        assert change.before != change.after


def test_what_the_server_adds_is_no_difference() -> None:
    before = {"metadata": {"name": "x", "uid": "u", "resourceVersion": "5"}, "status": {"a": 1}}
    assert diff.fields(before, {"metadata": {"name": "x"}}) == ()


# Guardrails


def spec(**more: Any) -> Spec:
    guard = Guardrails(
        quota={"pods": "60"},
        container_defaults={"default": {"cpu": "1"}, "defaultRequest": {}},
        egress=("dns", "same-environment"),
        ingress=("same-environment", "ingress-controller"),
        **{k: v for k, v in more.items() if k == "security"},
    )
    base = {
        "path": Path("f"),
        "root": Path(),
        "project": "shop",
        "context": "",
        "host": "h.x",
        "allowed_contexts": (),
        "url": "https://h.x/",
        "ingress_class": "",
        "ttl": 0.0,
        "idle": 0.0,
        "max_age": 0.0,
        "guardrails": guard,
        "components": (),
        "checks": (),
    }
    return Spec(**{**base, **{k: v for k, v in more.items() if k in base}})  # type: ignore[arg-type]


def test_the_guardrails_of_an_environment() -> None:
    found = {o["kind"]: o for o in guardrails.objects(spec())}
    assert found["ResourceQuota"]["spec"] == {"hard": {"pods": "60"}}
    assert found["ServiceAccount"]["automountServiceAccountToken"] is False
    policy = found["NetworkPolicy"]["spec"]
    assert policy["podSelector"] == {}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"][1] == {"to": [{"podSelector": {}}]}
    assert {p["port"] for p in policy["egress"][0]["ports"]} == {53}
    assert {} not in policy["egress"] + policy["ingress"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("anything", {}),
        ("internet", "169.254.0.0/16"),
        ({"to": [], "ports": []}, {"to": [], "ports": []}),
    ],
)
def test_words_of_access(word: Any, expected: Any) -> None:
    rule = guardrails._rule(word, "to")
    assert rule == expected or expected in rule["to"][0]["ipBlock"]["except"]


@pytest.mark.parametrize("security", ["baseline", "restricted"])
def test_the_namespace_says_whose_it_is_and_how_strict(security: str) -> None:
    found = guardrails.namespace(ENVIRONMENT, spec(security=security))
    assert ENVIRONMENT.owns(found["metadata"]["labels"])
    prefix = "pod-security.kubernetes.io"
    assert found["metadata"]["labels"][f"{prefix}/enforce"] == security
    assert found["metadata"]["labels"][f"{prefix}/warn"] == "restricted"
    info = info_of(found)
    assert (info.phase, info.owner, info.url) == (Phase.CREATING, "ann", "https://x/")
    found["metadata"]["deletionTimestamp"] = "t"
    assert info_of(found).phase is Phase.DELETING
    found["metadata"]["annotations"]["envctl.dev/phase"] = "Stuck"
    assert info_of(found).phase is Phase.STUCK


@pytest.mark.parametrize(
    ("labels", "owned"),
    [
        (ENVIRONMENT.labels, True),
        ({**ENVIRONMENT.labels, "x": "y"}, True),
        ({**ENVIRONMENT.labels, "envctl.dev/name": "other"}, False),
        ({"envctl.dev/project": "shop", "envctl.dev/name": "fix"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_what_is_an_environments_own(labels: Any, owned: bool) -> None:
    assert ENVIRONMENT.owns(labels) is owned


def test_an_exposed_service_gets_an_ingress() -> None:
    part = Component("web", "job", ManifestsSource(()), expose=Expose("front", "http", "/a"))
    found = guardrails.ingress(part, spec(ingress_class="traefik"))
    assert found is not None
    assert found["metadata"]["name"] == "web-front"
    assert found["spec"]["tls"] == [{"hosts": ["h.x"]}]
    assert found["spec"]["ingressClassName"] == "traefik"
    backend = found["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "front", "port": {"name": "http"}}
    assert guardrails.ingress(Component("web", "job", ManifestsSource(())), spec()) is None


# Helm's records


def release(name: str, version: int, body: Any = None, status: str = "deployed") -> dict[str, Any]:
    packed = gzip.compress(json.dumps({} if body is None else body).encode())
    data = base64.b64encode(base64.b64encode(packed)).decode()
    labels = {"name": name, "version": str(version), "status": status, "owner": "helm"}
    return {"metadata": {"name": f"sh.helm.release.v1.{name}", "labels": labels},
            "data": {"release": data}}  # fmt: skip


def test_the_newest_revision_of_every_release() -> None:
    hooked = {"manifest": "kind: A", "hooks": [{"events": ["pre-delete"]}]}
    plain = {"manifest": "kind: B", "hooks": [{"events": ["post-install"]}]}
    found = helm.newest(
        [release("web", 9, plain), release("web", 10, hooked, "pending-upgrade"),
         release("db", 1, plain), {"metadata": {"name": "no labels"}}],
    )  # fmt: skip
    assert [(r.name, r.version, r.status, r.has_delete_hooks, r.manifest) for r in found] == [
        ("db", 1, "deployed", False, "kind: B"),
        ("web", 10, "pending-upgrade", True, "kind: A"),
    ]


@pytest.mark.parametrize("data", ["", "eHg=", "####", base64.b64encode(b"eHg=").decode()])
def test_a_record_that_cannot_be_read_may_have_hooks(data: str) -> None:
    secret_ = release("web", 1)
    secret_["data"]["release"] = data
    assert helm.newest([secret_])[0].has_delete_hooks


# Objects


@pytest.mark.parametrize(
    ("resource", "namespace", "name", "path"),
    [
        (Resource("", "v1", "pods", "Pod"), "n", "p", "/api/v1/namespaces/n/pods/p"),
        (Resource("", "v1", "pods", "Pod"), "", "", "/api/v1/pods"),
        (Resource("apps", "v1", "jobs", "D"), "n", "", "/apis/apps/v1/namespaces/n/jobs"),
        (Resource("", "v1", "namespaces", "N", False), "n", "x", "/api/v1/namespaces/x"),
    ],
)  # fmt: skip
def test_where_the_api_serves_it(resource: Resource, namespace: str, name: str, path: str) -> None:
    assert resource.path(namespace, name) == path


def test_a_digest_depends_on_content_only() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})


@pytest.mark.parametrize(
    "obj",
    [
        {"kind": "Pod", "spec": {"containers": []}},
        {"kind": "Deployment", "spec": {"template": {"spec": {"containers": []}}}},
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {
            "spec": {"containers": []}}}}}},
    ],
)  # fmt: skip
def test_where_kinds_keep_their_pods(obj: dict[str, Any]) -> None:
    assert pod_specs(obj) == [{"containers": []}]


@pytest.mark.parametrize("kind", ["Pod", "Deployment", "CronJob"])
@given(spec=JSON)
def test_a_spec_that_is_no_spec_has_no_containers(kind: str, spec: object) -> None:
    for found in pod_specs({"kind": kind, "spec": spec}):
        assert all(isinstance(item, dict) for item in containers(found))
