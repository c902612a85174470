"""Laws 1 to 4 on whole runs: idempotent, one writer, owned, absence is proved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import Locked, Refused, Superseded, TimedOut, Unavailable
from envctl.model import record
from envctl.model.events import Note
from envctl.model.managed import Owned
from envctl.model.objects import CONFIG_MAP, NAMESPACE, POD, PVC, SECRET, WELL_KNOWN
from envctl.model.record import Deployed, Entry
from tests.unit.fakes import nothing
from tests.unit.workflow.world import NAMESPACE_KEY, ROLE, Shop, config

if TYPE_CHECKING:
    from pathlib import Path

CLUSTER_ROLE = WELL_KNOWN["rbac.authorization.k8s.io/v1", "ClusterRole"]
TWO = """\
environment: {clusterScoped: [ClusterRole]}
components:
- {name: db, helm: {chart: oci://r/db, version: "1"}}
- {name: web, needs: [db], manifests: [web.yaml]}
"""
ALLOWED = {"ENVCTL_CLUSTER_SCOPED": "ClusterRole"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.helm.charts["db"] = [config("db")]
    found.write(TWO, web=[config("a"), config("b", kind="Secret"), ROLE])
    return found


LEASE_KEY = ("coordination.k8s.io", "Lease", "envctl-system", "shop-fix")


def up(shop: Shop, **more: Any) -> str:
    result, error = shop.up(env=ALLOWED, **more)
    assert error is None, error
    return result.result


def test_up_brings_everything_and_marks_it(shop: Shop) -> None:
    assert up(shop, pipeline="7") == "succeeded"
    assert {"ConfigMap/a", "Secret/b", "ConfigMap/db", "ClusterRole/shop-fix-reader",
            "ResourceQuota/envctl", "NetworkPolicy/envctl"} <= shop.names()  # fmt: skip
    notes = shop.cluster.store[NAMESPACE_KEY]["metadata"]["annotations"]
    assert notes["envctl.dev/phase"] == "Ready"
    assert notes["envctl.dev/pipeline"] == "7"


def test_up_twice_writes_nothing_but_that_it_was_used(shop: Shop) -> None:
    up(shop)
    before = shop.end_state()
    assert up(shop) == "unchanged"
    assert shop.end_state() == before
    assert {(verb, what.partition("/")[0]) for verb, what in shop.cluster.writes} == {
        ("replace", "Lease"), ("patch", "Namespace"),
    }  # fmt: skip


@pytest.mark.parametrize("after", [False, True])
def test_up_killed_at_any_write_and_run_again_ends_the_same(tmp_path: Path, after: bool) -> None:
    def fresh(name: str) -> Shop:
        (tmp_path / name).mkdir()
        found = Shop(tmp_path / name)
        found.helm.charts["db"] = [config("db")]
        found.write(TWO, web=[config("a"), config("b", kind="Secret"), ROLE])
        return found

    clean = fresh("clean")
    up(clean)
    wanted, number = clean.end_state(), 1
    while (broken := fresh(f"kill-{number}")).killed_at(
        number, lambda b=broken: b.up(env=ALLOWED), after=after
    ):
        up(broken)
        assert broken.end_state() == wanted, number
        number += 1
    assert number > 15


@pytest.mark.parametrize("after", [False, True])
def test_down_killed_at_any_write_and_run_again_leaves_nothing(shop: Shop, after: bool) -> None:
    number = 0
    while True:
        number += 1
        up(shop)
        if not shop.killed_at(number, shop.down, after=after):
            break
        result, error = shop.down()
        assert error is None
        assert result.result in ("gone", "absent")
        assert shop.names() == set(), number
    assert number > 4


def test_an_interrupted_change_leaves_no_object_of_either_version(shop: Shop) -> None:
    up(shop)
    for number in range(1, 9):
        shop.write(TWO, web=[config("new"), ROLE])
        shop.killed_at(number, lambda: shop.up(env=ALLOWED), after=True)
        up(shop)
        assert {"ConfigMap/new"} == shop.names() & {"ConfigMap/a", "Secret/b", "ConfigMap/new"}
        shop.write(TWO, web=[config("a"), config("b", kind="Secret"), ROLE])
        up(shop)


def test_what_was_deleted_or_edited_by_hand_is_put_back_and_named(shop: Shop) -> None:
    up(shop)
    wanted = shop.end_state()
    shop.cluster.drop(("", "ConfigMap", "shop-fix", "a"))
    edited = shop.cluster.store["", "Secret", "shop-fix", "b"]
    edited["data"]["value"] = "by hand"
    edited["metadata"]["managedFields"] = [
        {"manager": "envctl", "operation": "Apply", "fieldsV1": {}},
        {"manager": "kubectl-edit", "operation": "Update",
         "fieldsV1": {"f:data": {"f:value": {}}}},
    ]  # fmt: skip
    assert up(shop) == "succeeded"
    assert shop.end_state() == wanted
    said = [e.message for e in shop.events if isinstance(e, Note) and "drift" in e.message]
    assert any("ConfigMap/a was deleted" in text for text in said)
    assert any("Secret/b was edited by kubectl-edit (data.value)" in text for text in said)


def test_what_left_the_source_is_pruned_and_a_component_that_left_too(shop: Shop) -> None:
    up(shop)
    shop.write("components:\n- {name: web, manifests: [web.yaml]}\n", web=[config("a")])
    assert up(shop) == "succeeded"
    assert shop.helm.uninstalled == ["db"]
    assert not {"Secret/b", "ClusterRole/shop-fix-reader", "ConfigMap/db"} & shop.names()


def test_a_change_that_was_interrupted_and_taken_back_leaves_nothing(shop: Shop) -> None:
    up(shop)
    wanted = shop.names()
    for number in range(1, 9):
        shop.write(TWO, web=[config("new"), ROLE])
        shop.killed_at(number, lambda: shop.up(env=ALLOWED), after=True)
        shop.write(TWO, web=[config("a"), config("b", kind="Secret"), ROLE])
        up(shop)
        assert shop.names() == wanted, number


# One writer


def test_an_older_pipeline_writes_nothing(shop: Shop) -> None:
    up(shop, pipeline="9")
    with pytest.raises(Superseded):
        shop.up(pipeline="8", env=ALLOWED)
    assert shop.cluster.writes == []


def test_a_run_that_is_superseded_in_the_middle_stops_before_its_next_write(shop: Shop) -> None:
    lease = ("coordination.k8s.io", "Lease", "envctl-system", "shop-fix")
    after_that: list[str] = []

    def take_over(verb: str, what: str) -> None:
        if what == "ConfigMap/db" and verb == "get" and not after_that:
            taken = shop.cluster.store[lease]
            taken["metadata"]["annotations"] = {"envctl.dev/pipeline": "9"}
            taken["spec"]["holderIdentity"] = "newer"
            shop.cluster.put(WELL_KNOWN["coordination.k8s.io/v1", "Lease"], taken)
            import asyncio

            asyncio.get_running_loop().pass_(60)  # type: ignore[attr-defined]
            after_that.append("taken")
        elif after_that and verb not in ("get", "list", "watch"):
            after_that.append(f"{verb} {what}")

    shop.cluster.before = take_over
    with pytest.raises((Superseded, Locked)):  # noqa: PT012 - raised or handed back
        result, error = shop.up(pipeline="8", env=ALLOWED)
        assert result.result == "superseded"
        raise error or AssertionError
    assert after_that == ["taken"]
    assert shop.cluster.store[lease]["spec"]["holderIdentity"] == "newer"


# Owned


def stranger(shop: Shop, **labels: str) -> None:
    shop.cluster.put(NAMESPACE, {"metadata": {"name": "shop-fix", "labels": labels}}, "kubectl")


@pytest.mark.parametrize("labels", [{}, {"envctl.dev/project": "other"}])
def test_a_strangers_namespace_is_neither_changed_nor_deleted(shop: Shop, labels: Any) -> None:
    stranger(shop, **labels)
    before = shop.cluster.store[NAMESPACE_KEY]
    _, error = shop.up(env=ALLOWED)
    assert isinstance(error, Refused)
    assert re.search("somebody else|project 'other'", str(error))
    with pytest.raises(Refused, match="is not this environment's"):
        shop.down()
    assert shop.cluster.store[NAMESPACE_KEY] == before
    assert {what.partition("/")[0] for _, what in shop.cluster.writes} <= {"Lease"}


def test_a_namespace_that_was_replaced_in_between_is_not_deleted(shop: Shop) -> None:
    up(shop)

    def replace(verb: str, what: str) -> None:
        if (verb, what) == ("list", "PersistentVolumeClaim/"):
            shop.cluster.before = nothing
            shop.cluster.drop(NAMESPACE_KEY)
            stranger(shop)

    shop.cluster.before = replace
    shop.down()
    assert NAMESPACE_KEY in shop.cluster.store


def forge(shop: Shop, *entries: Entry) -> None:
    """A merge request that writes the record of its own environment."""
    deployed = Deployed("manifests", "x", complete=True, entries=entries)
    key = ("", "ConfigMap", "shop-fix", record.NAME)
    shop.cluster.store[key]["data"]["component.evil"] = record.dump_component(deployed)


@pytest.mark.parametrize("verb", ["down", "up"])
@pytest.mark.parametrize("known_uid", [True, False])
def test_a_forged_record_deletes_nothing_of_others(shop: Shop, verb: str, known_uid: bool) -> None:
    up(shop)
    role = {"metadata": {"name": "admin"}, "rules": []}
    uid = shop.cluster.put(CLUSTER_ROLE, role, "kubectl")["metadata"]["uid"]
    other = {"metadata": {"name": "kube-system"}}
    other_uid = shop.cluster.put(NAMESPACE, other, "kubectl")["metadata"]["uid"]
    secret = config("s", kind="Secret", namespace="kube-system")
    secret_uid = shop.cluster.put(SECRET, secret, "kubectl")["metadata"]["uid"]
    forge(
        shop,
        Entry(CLUSTER_ROLE, "", "admin", uid if known_uid else "", Owned("", "")),
        Entry(NAMESPACE, "", "kube-system", other_uid if known_uid else "", Owned("", "")),
        Entry(SECRET, "kube-system", "s", secret_uid if known_uid else "", Owned("", "")),
    )
    shop.down() if verb == "down" else shop.up(env=ALLOWED)
    assert {"ClusterRole/admin", "Namespace/kube-system", "Secret/s"} <= shop.names()


def test_what_lies_outside_needs_the_files_and_the_cis_word(shop: Shop) -> None:
    _, error = shop.up()
    assert isinstance(error, Refused)
    assert "ENVCTL_CLUSTER_SCOPED=ClusterRole" in str(error)
    assert "ClusterRole/shop-fix-reader" not in shop.names()


def test_an_object_outside_that_belongs_to_others_is_not_taken_over(shop: Shop) -> None:
    shop.cluster.put(CLUSTER_ROLE, ROLE, "kubectl")
    before = shop.cluster.state()
    _, error = shop.up(env=ALLOWED)
    assert isinstance(error, Refused)
    assert "belongs to somebody else" in str(error)
    key = (CLUSTER_ROLE.group, "ClusterRole", "", "shop-fix-reader")
    assert shop.cluster.state()[key] == before[key]


def test_two_components_cannot_own_one_object(shop: Shop) -> None:
    shop.helm.charts["db"] = [config("a")]
    _, error = shop.up(env=ALLOWED)
    assert error is not None
    assert "'db' and 'web' both own ConfigMap/a" in str(error)
    assert "ConfigMap/a" not in shop.names()


def test_nobody_may_deploy_the_record(shop: Shop) -> None:
    shop.write(TWO, web=[config(record.NAME)])
    _, error = shop.up(env=ALLOWED)
    assert isinstance(error, Refused)
    assert record.NAME in str(error)


# Absence is proved


def test_down_ends_as_gone_then_absent(shop: Shop) -> None:
    up(shop)
    result, error = shop.down()
    assert (result.result, error) == ("gone", None)
    assert shop.names() == set()
    result, error = shop.down()
    assert (result.result, error) == ("absent", None)
    assert shop.cluster.writes == []


def test_a_pipeline_that_takes_away_what_is_not_there_keeps_older_ones_from_making_it(
    shop: Shop,
) -> None:
    shop.write(TWO, web=[config("a"), ROLE])
    assert shop.down(pipeline="15")[0].result == "absent"
    assert shop.down(pipeline="15")[0].result == "absent"
    assert shop.cluster.writes == []
    with pytest.raises(Superseded, match="Pipeline 15 has taken over"):
        shop.up("14", env=ALLOWED)
    assert shop.names() == set()
    assert shop.up("16", env=ALLOWED)[1] is None


def test_down_waits_for_a_run_that_is_about_to_make_the_environment(shop: Shop) -> None:
    shop.down(pipeline="15")
    shop.cluster.store[LEASE_KEY]["spec"]["holderIdentity"] = "another"
    result, error = shop.down(pipeline="15")
    assert (result.result, error) == ("absent", None)
    said = [event.message for event in shop.events if isinstance(event, Note)]
    assert "waiting for the run another that works on fix" in said


def test_a_stranger_who_takes_the_name_meanwhile_loses_nothing(shop: Shop) -> None:
    """The namespace goes and comes again as another's between the look and the deletion."""
    up(shop)
    pod = {"metadata": {"name": "theirs", "namespace": "shop-fix"}}

    def replaced(verb: str, what: str) -> None:
        if (verb, what) == ("delete", "Namespace/shop-fix"):
            shop.cluster.before = nothing
            for key in [key for key in shop.cluster.store if key[2] == "shop-fix"]:
                shop.cluster.drop(key)
            shop.cluster.drop(NAMESPACE_KEY)
            shop.cluster.put(NAMESPACE, {"metadata": {"name": "shop-fix"}})
            shop.cluster.put(POD, pod)
            shop.cluster.put(PVC, {"metadata": {"name": "theirs", "namespace": "shop-fix"}})

    shop.cluster.before = replaced
    result, error = shop.down()
    assert (result.result, error) == ("gone", None)
    assert {"Namespace/shop-fix", "Pod/theirs", "PersistentVolumeClaim/theirs"} <= shop.names()


@pytest.mark.parametrize("what", ["Namespace/shop-fix", "ClusterRole/shop-fix-reader"])
def test_what_another_makes_its_own_between_the_look_and_the_deletion_stays(
    shop: Shop, what: str
) -> None:
    up(shop)
    kind, _, name = what.partition("/")
    key = next(k for k in shop.cluster.store if (k[1], k[3]) == (kind, name))

    def stolen(verb: str, deleted: str) -> None:
        if (verb, deleted) == ("delete", what):
            shop.cluster.before = nothing
            theirs = dict(shop.cluster.store[key])
            theirs["metadata"] = {**theirs["metadata"], "labels": {"app": "theirs"}}
            theirs["metadata"].pop("annotations", None)
            shop.cluster.put(NAMESPACE if kind == "Namespace" else CLUSTER_ROLE, theirs)

    shop.cluster.before = stolen
    _, error = shop.down()
    assert isinstance(error, Refused) == (kind == "Namespace")
    assert what in shop.names()


def test_up_does_not_go_on_in_a_namespace_that_is_another_one_by_now(shop: Shop) -> None:
    up(shop)
    shop.write(TWO, web=[config("a", data={"new": "1"}), config("b", kind="Secret"), ROLE])

    def replaced(verb: str, what: str) -> None:
        if (verb, what) == ("patch", "ConfigMap/envctl-record"):
            shop.cluster.before = nothing
            shop.cluster.drop(NAMESPACE_KEY)
            shop.cluster.put(NAMESPACE, {"metadata": {"name": "shop-fix"}})

    shop.cluster.before = replaced
    _, error = shop.up(env=ALLOWED)
    assert error is not None
    assert "is another one by now" in error.what
    assert not [w for w in shop.cluster.writes if w[0] == "apply"]


def test_down_names_what_is_stuck_and_who_should_free_it(shop: Shop) -> None:
    up(shop)
    held = config("held", namespace="shop-fix", finalizers=["example.org/cleanup"])
    shop.cluster.put(CONFIG_MAP, held)
    result, error = shop.down(timeout=30)
    assert result.result == "stuck"
    assert isinstance(error, TimedOut)
    stuck = {s.object: s for s in result.stuck}["ConfigMap/held"]
    assert stuck.finalizers == ("example.org/cleanup",)
    assert "the controller of example.org" in stuck.controller
    assert "`envctl down --force` takes" in stuck.next
    assert NAMESPACE_KEY in shop.cluster.store


def test_a_short_teardown_waits_for_most_of_its_time(shop: Shop) -> None:
    up(shop)
    shop.cluster.put(CONFIG_MAP, config("held", namespace="shop-fix", finalizers=["a.example/b"]))
    result, error = shop.down(timeout=15)
    assert result.result == "stuck"
    assert result.seconds >= 10, "a namespace takes five seconds to go even where nothing holds it"
    assert "is not gone after 10 s" in str(error)


def test_down_is_not_gone_while_something_lies_outside(shop: Shop) -> None:
    up(shop)
    role = shop.cluster.store[CLUSTER_ROLE.group, "ClusterRole", "", "shop-fix-reader"]
    role["metadata"]["finalizers"] = ["example.org/hold"]
    result, error = shop.down()
    assert result.result != "gone"
    assert "ClusterRole/shop-fix-reader" in result.leftovers
    assert error is not None
    result, error = shop.down()
    assert result.result not in ("gone", "absent")
    assert error is not None
    shop.cluster.drop((CLUSTER_ROLE.group, "ClusterRole", "", "shop-fix-reader"))
    assert shop.down()[0].result == "gone"


def test_down_without_an_answer_is_unknown(shop: Shop) -> None:
    up(shop)
    asked: list[str] = []

    def away(verb: str, what: str) -> None:
        if (verb, what) == ("delete", "Namespace/shop-fix"):
            asked.append(what)
        if asked and what == "Namespace/shop-fix" and verb != "delete":
            raise Unavailable("no answer")

    shop.cluster.before = away
    result, error = shop.down()
    assert result.result == "unknown"
    assert isinstance(error, Unavailable)


def test_a_limit_ends_the_steps_before_their_own_timeouts_and_explains(shop: Shop) -> None:
    """Law 6: what is not ready is told by the step, and the failure is on record."""
    slow = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "slow"}, "spec": {}}
    shop.write("components:\n- {name: web, manifests: [web.yaml], timeout: 30m}\n", web=[slow])
    result, error = shop.up(limit=60.0)
    assert isinstance(error, TimedOut)
    assert "slow" in error.what
    assert result.result == "timed-out"
    assert result.seconds < 60
    notes = shop.cluster.store[NAMESPACE_KEY]["metadata"]["annotations"]
    assert notes["envctl.dev/phase"] == "Failed"
