"""What is remembered of a deployment, and what an edit by hand looks like."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model import managed, record
from envctl.model.managed import Owned
from envctl.model.objects import CONFIG_MAP, DEPLOYMENT, Key, Resource
from envctl.model.record import Checked, Deployed, Entry, Record

WORDS = st.text(max_size=12)
RESOURCES = st.sampled_from(
    [CONFIG_MAP, DEPLOYMENT, Resource("example.org", "v1", "widgets", "Widget", False)]
)
ENTRIES = st.builds(Entry, RESOURCES, WORDS, WORDS, WORDS, st.builds(Owned, WORDS, WORDS))
DEPLOYED = st.builds(
    Deployed, WORDS, WORDS, st.booleans(), st.lists(ENTRIES, max_size=4).map(tuple)
)
CHECKED = st.builds(Checked, WORDS, st.booleans(), st.floats(0, 1e6))
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)


def as_config_map(found: Record) -> dict[str, Any]:
    data = {record.component_key(n): record.dump_component(d) for n, d in found.components.items()}
    data |= {record.check_key(n): record.dump_check(c) for n, c in found.checks.items()}
    return {"data": data}


@given(st.dictionaries(NAMES, DEPLOYED, max_size=3), st.dictionaries(NAMES, CHECKED, max_size=3))
def test_a_record_comes_back_as_it_was_written(
    components: dict[str, Deployed], checks: dict[str, Checked]
) -> None:
    written = Record(components, checks)
    assert record.load(as_config_map(written)) == written


def test_a_large_component_still_fits_its_config_map() -> None:
    entries = tuple(
        Entry(DEPLOYMENT, "shop-x", f"name-{i}", f"{i:032x}", Owned(f"{i:032x}", f"{i:032x}"))
        for i in range(3000)
    )
    deployed = Deployed("manifests", "d", complete=True, entries=entries)
    text = record.dump_component(deployed)
    assert text.startswith("zlib:")
    assert len(text) < 400_000
    assert record.load({"data": {"component.a": text}}).components["a"] == deployed


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", '{"type": "helm"}', "zlib:x", "zlib:eJw=", '{"objects": [[1]]}',
             '{"type":"a","digest":"b","complete":true,"objects":[["v1"]]}']
)  # fmt: skip
def test_what_cannot_be_read_counts_as_never_deployed(text: str) -> None:
    assert record.load({"data": {"component.a": text, "check.b": text, "odd": text}}) == Record()


def test_no_record_at_all() -> None:
    assert record.load(None) == record.load({}) == record.load({"data": None}) == Record()


def test_writing_ahead_forgets_nothing_that_may_exist() -> None:
    old, kept = Entry(CONFIG_MAP, "n", "old", "1"), Entry(CONFIG_MAP, "n", "kept", "2")
    before = Deployed("manifests", "d", complete=True, entries=(old, kept))
    after = before.started("helm", (Entry(CONFIG_MAP, "n", "kept"), Entry(CONFIG_MAP, "n", "new")))
    assert {(e.name, e.uid) for e in after.entries} == {("old", "1"), ("kept", "2"), ("new", "")}
    assert (after.type, after.digest, after.complete) == ("helm", "", False)


def test_a_cluster_scoped_entry_has_no_namespace() -> None:
    role = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
    obj = {"apiVersion": role.api_version, "kind": "ClusterRole",
           "metadata": {"name": "r", "namespace": "odd", "uid": "u"}}  # fmt: skip
    entry = record.entry_of(obj, role)
    assert entry.key == Key(role.group, "ClusterRole", "", "r")
    assert str(entry) == "ClusterRole/r"


# Whose fields


CONTAINER = 'k:{"name":"web"}'
PORT = 'k:{"containerPort":80,"protocol":"TCP"}'


def live() -> dict[str, Any]:
    """A Deployment as the API server returns it after a server-side apply."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "uid": "u",
            "labels": {"a": "b"},
            "finalizers": ["example.org/x"],
            "managedFields": [
                {
                    "manager": "envctl",
                    "operation": "Apply",
                    "fieldsV1": {
                        "f:metadata": {
                            "f:labels": {"f:a": {}},
                            "f:finalizers": {'v:"example.org/x"': {}},
                        },
                        "f:spec": {
                            "f:replicas": {},
                            "f:template": {
                                "f:spec": {
                                    "f:containers": {
                                        CONTAINER: {
                                            ".": {},
                                            "f:name": {},
                                            "f:image": {},
                                            "f:ports": {PORT: {".": {}, "f:containerPort": {}}},
                                        }
                                    }
                                }
                            },
                        },
                    },
                },
                {"manager": "kube-controller-manager", "operation": "Update",
                 "subresource": "status", "fieldsV1": {"f:status": {"f:replicas": {}}}},
            ],
        },
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "template": {
                "spec": {
                    "containers": [
                        {"name": "side", "image": "s:1"},
                        {"name": "web", "image": "w:1", "ports": [{"containerPort": 80}],
                         "imagePullPolicy": "Always"},
                    ]
                }
            },
        },
        "status": {"replicas": 1},
    }  # fmt: skip


def web(obj: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = obj["spec"]["template"]["spec"]["containers"][1]
    return found


def take(obj: dict[str, Any], manager: str, fields: Any, subresource: str = "") -> None:
    """Move fields to another manager, as the API server does for an update."""
    entry = {"manager": manager, "operation": "Update", "time": "2026-01-01T00:00:00Z",
             "fieldsV1": fields, "subresource": subresource}  # fmt: skip
    obj["metadata"]["managedFields"].append(entry)


OURS = managed.owned(live())


def test_what_was_applied_is_unchanged() -> None:
    assert not managed.changed(live(), OURS)


def test_defaults_status_and_other_containers_are_no_drift() -> None:
    obj = live()
    obj["spec"]["revisionHistoryLimit"] = 3
    obj["spec"]["template"]["spec"]["containers"][0]["image"] = "injected:2"
    obj["spec"]["template"]["spec"]["containers"].reverse()
    web_again = obj["spec"]["template"]["spec"]["containers"][0]
    web_again["imagePullPolicy"] = "Never"
    obj["status"] = {"replicas": 9}
    obj["metadata"]["resourceVersion"] = "99"
    assert not managed.changed(obj, OURS)


def edited() -> dict[str, Any]:
    obj = live()
    web(obj)["image"] = "w:2"
    ours = obj["metadata"]["managedFields"][0]["fieldsV1"]
    del ours["f:spec"]["f:template"]["f:spec"]["f:containers"][CONTAINER]["f:image"]
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": {CONTAINER: {"f:image": {}}}}}}}
    take(obj, "kubectl-edit", fields)
    return obj


def test_an_edit_by_hand_is_drift_and_names_the_hand() -> None:
    assert managed.changed(edited(), OURS)
    edit = managed.edits(edited())[0]
    assert edit.manager == "kubectl-edit"
    assert edit.fields == ("spec.template.spec.containers[web].image",)


def test_an_edit_that_was_put_back_is_still_a_lost_field() -> None:
    obj = edited()
    web(obj)["image"] = "w:1"
    assert managed.changed(obj, OURS)


@pytest.mark.parametrize(
    "change",
    [
        lambda o: o["metadata"]["labels"].pop("a"),
        lambda o: o["metadata"].update(finalizers=[]),
        lambda o: web(o).update(ports=[]),
        lambda o: web(o).update(image="w:2"),
        lambda o: o["spec"]["template"]["spec"]["containers"].pop(),
        lambda o: o["metadata"].update(managedFields=[]),
    ],
)
def test_any_field_of_ours_that_changes_is_drift(change: Any) -> None:
    obj = live()
    change(obj)
    assert managed.changed(obj, OURS)


def test_an_autoscaler_is_no_drift_but_a_hand_is() -> None:
    obj = live()
    obj["spec"]["replicas"] = 5
    del obj["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:replicas"]
    by_hand = copy.deepcopy(obj)
    take(obj, "kube-controller-manager", {"f:spec": {"f:replicas": {}}}, "scale")
    assert not managed.changed(obj, OURS)
    take(by_hand, "kubectl", {"f:spec": {"f:replicas": {}}}, "scale")
    assert managed.changed(by_hand, OURS)
    assert managed.edits(by_hand)[0].fields == ("spec.replicas",)


def test_an_edit_of_a_scaled_workload_is_drift_all_the_same() -> None:
    obj = edited()
    take(obj, "kube-controller-manager", {"f:spec": {"f:replicas": {}}}, "scale")
    assert managed.changed(obj, OURS)


LEAVES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), min_size=1, max_size=3)


@given(LEAVES, LEAVES)
def test_a_projection_keeps_exactly_the_named_fields(
    value: dict[str, int], named: dict[str, int]
) -> None:
    fields: dict[str, Any] = {f"f:{key}": {} for key in named}
    assert managed.project(value, fields) == {f"f:{key}": value.get(key) for key in named}


def test_the_digest_does_not_depend_on_the_order_of_managers() -> None:
    obj = live()
    obj["metadata"]["managedFields"].reverse()
    assert managed.owned(json.loads(json.dumps(obj))) == OURS
