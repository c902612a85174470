"""gc, rule by rule, on the cluster in memory and in virtual time."""

from __future__ import annotations

import pytest

from envctl.errors import EnvctlError
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.events import Note
from envctl.model.forge import MergeRequest, MergeRequestState
from envctl.model.gc import STUCK_AFTER, UNFINISHED
from envctl.model.lease import RETENTION
from envctl.model.lifetime import GRACE
from envctl.model.objects import CONFIG_MAP, NAMESPACE, WELL_KNOWN
from envctl.ports.forge import ForgeForbidden, ForgeNotFound, ForgeUnavailable
from tests.documents import check_document
from tests.unit.workflow.gcworld import DAY, HOUR, FakeForge, Sweep, names, stamped
from tests.unit.workflow.world import ROLE

NO_ANSWERS = {
    "unavailable": ForgeUnavailable("No answer.", why="It answered 502."),
    "forbidden": ForgeForbidden("No answer.", why="The token has expired."),
    "not found": ForgeNotFound("No answer.", why="There is no such project."),
    "another error": EnvctlError("No answer."),
    "hangs": "hangs",
    "another one's": MergeRequest("99", MergeRequestState.MERGED),
}


CLUSTER_ROLE = WELL_KNOWN["rbac.authorization.k8s.io/v1", "ClusterRole"]


def why(result: object, name: str) -> str:
    return next(o.entry.why for o in result.outcomes if o.entry.name == name)  # type: ignore[attr-defined]


def test_what_has_outlived_its_time_goes_and_the_rest_stays() -> None:
    sweep = Sweep()
    sweep.used("old", 3 * DAY + GRACE)
    sweep.used("nearly", 3 * DAY + GRACE - 1)
    sweep.used("young", HOUR)
    sweep.environment("eternal", last_used_at=stamped(99 * DAY))
    result, error = sweep.gc()
    assert error is None
    assert names(result, "deleted") == ["old"]
    assert names(result, "kept") == ["eternal", "nearly", "young"]
    assert not sweep.there("shop-old")
    assert sweep.there("shop-nearly")
    assert "last used at" in why(result, "old")
    check_document("gc", result.as_json())


def test_the_greatest_age_is_exact_and_ends_an_extension_too() -> None:
    sweep = Sweep()
    more = {"max": f"{14 * DAY:.0f}", "extended_until": stamped(-DAY)}
    sweep.used("old", HOUR, created=14 * DAY, **more)
    sweep.used("young", HOUR, created=14 * DAY - 5, **more)
    assert names(sweep.gc()[0], "deleted") == ["old"]


def test_twice_is_once() -> None:
    sweep = Sweep()
    sweep.used("old", 9 * DAY)
    sweep.used("young", HOUR)
    assert names(sweep.gc()[0], "deleted") == ["old"]
    result, error = sweep.gc()
    assert error is None
    assert (names(result, "deleted"), names(result, "kept")) == ([], ["young"])


@pytest.mark.parametrize("state", ["merged", "closed"])
def test_an_ended_merge_request_is_asked_about_twice(state: str) -> None:
    sweep = Sweep()
    assert sweep.forge
    sweep.of_merge_request("ended", "1", state)
    sweep.of_merge_request("open", "2", "open")
    result, _ = sweep.gc()
    assert names(result, "deleted") == ["ended"]
    assert why(result, "ended") == f"merge request !1 is {state}"
    assert sweep.forge.asked.count("1") == 2
    assert sweep.forge.asked.count("2") == 1


@pytest.mark.parametrize("failure", NO_ANSWERS.values(), ids=NO_ANSWERS)
@pytest.mark.parametrize("moment", ["at listing", "at the second asking"])
def test_a_forge_that_fails_closes_nothing(failure: object, moment: str) -> None:
    sweep = Sweep()
    answers = [failure] if moment == "at listing" else ["merged", failure]
    sweep.of_merge_request("mine", "1", *answers)
    result, error = sweep.gc()
    assert error is None, "the exit code is 0: what depends on the forge is only kept"
    assert names(result, "kept") == ["mine"]
    assert "may be open" in why(result, "mine")
    assert sweep.there("shop-mine")


def test_a_failing_forge_is_said_once_and_left_in_peace() -> None:
    sweep = Sweep()
    assert sweep.forge
    for number in range(40):
        sweep.of_merge_request(f"e{number}", str(number), NO_ANSWERS["unavailable"])
    result, _ = sweep.gc()
    assert len(names(result, "kept")) == 40
    assert len(sweep.forge.asked) < 12
    notes = [e for e in sweep.events if isinstance(e, Note) and e.level == "warning"]
    assert len(notes) == 1
    assert "502" in notes[0].message


def test_reopened_between_the_two_askings() -> None:
    sweep = Sweep()
    sweep.of_merge_request("mine", "1", "closed", "open")
    assert names(sweep.gc()[0], "kept") == ["mine"]


def test_no_forge_and_another_forge_and_no_project() -> None:
    sweep = Sweep()
    sweep.of_merge_request("mine", "1", "merged")
    sweep.forge = None
    assert "no forge is configured" in why(sweep.gc()[0], "mine")
    sweep.forge = FakeForge({"1": ["merged"]}, server="https://other.example.org")
    assert "belongs to https://git.example.org" in why(sweep.gc()[0], "mine")
    sweep = Sweep()
    sweep.of_merge_request("mine", "1", "merged")
    sweep.used("mine", HOUR, merge_request="1", forge_project="nonsense")
    assert "not known to which project" in why(sweep.gc()[0], "mine")


def test_a_keep_outlasts_all_but_its_own_end() -> None:
    sweep = Sweep()
    sweep.used("always", 99 * DAY, keep="always by ann")
    sweep.used("any-word", 99 * DAY, keep="please")
    sweep.used("until", 99 * DAY, keep=f"{stamped(GRACE - 9)} by ann")
    sweep.used("ended", 99 * DAY, keep=f"{stamped(GRACE)} by ann")
    sweep.of_merge_request("merged", "1", "merged", keep="always by ann")
    result, _ = sweep.gc()
    assert names(result, "deleted") == ["ended"]
    assert why(result, "always") == "ann keeps it"


def test_what_was_never_finished_goes_after_a_while() -> None:
    sweep = Sweep()
    sweep.environment("half", created=UNFINISHED, phase="Creating")
    sweep.environment("bare", created=UNFINISHED)
    sweep.environment("new", created=UNFINISHED - 60, phase="Creating")
    record = {"metadata": {"name": "envctl-record", "namespace": "shop-half"}, "data": {}}
    sweep.cluster.put(CONFIG_MAP, record)
    result, _ = sweep.gc()
    assert names(result, "deleted") == ["bare", "half"]
    assert "never finished" in why(result, "half")
    assert "no record" in why(result, "bare")


def test_a_run_at_work_is_left_alone_and_a_dead_one_is_not() -> None:
    sweep = Sweep()
    for name in ("working", "dead"):
        sweep.used(name, 9 * DAY)
    sweep.lock("shop-working", alive=True, pipeline="9")
    sweep.lock("shop-dead", pipeline="9")
    assert [entry.name for entry in sweep.gc(dry_run=True)[0].would_delete] == ["dead"]
    result, error = sweep.gc()
    assert error is None
    assert names(result, "deleted") == ["dead"]
    assert why(result, "working") == "a run works on it"


def test_a_run_that_comes_in_between_is_left_alone() -> None:
    sweep = Sweep()
    sweep.used("mine", 9 * DAY)
    sweep.lock("shop-mine", holder="")

    def come() -> None:
        sweep.lock("shop-mine", alive=True)

    sweep.before_write("replace", "Lease/shop-mine", come)
    assert names(sweep.gc()[0], "kept") == ["mine"]
    assert sweep.there("shop-mine")


@pytest.mark.parametrize(
    "note",
    [{"keep": "always by ann"}, {"last_used_at": stamped(0)}, {"extended_until": stamped(-DAY)}],
)
def test_what_changes_right_before_the_deletion_is_judged_anew(note: dict[str, str]) -> None:
    sweep = Sweep()
    sweep.used("mine", 9 * DAY)
    sweep.before_write(
        "patch", "Namespace/shop-mine", lambda: sweep.used("mine", 9 * DAY, **note) and None
    )
    result, _ = sweep.gc()
    assert names(result, "kept") == ["mine"]
    assert "phase" in str(sweep.cluster.store["", "Namespace", "", "shop-mine"])
    assert ("delete", "Namespace/shop-mine") not in sweep.cluster.calls


def test_a_strangers_namespace_of_the_same_name_is_not_touched() -> None:
    sweep = Sweep()
    sweep.used("mine", 9 * DAY)
    key = ("", "Namespace", "", "shop-mine")

    def replaced() -> None:
        sweep.cluster.drop(key)
        sweep.cluster.put(NAMESPACE, {"metadata": {"name": "shop-mine"}})

    sweep.before_write("get", "Namespace/shop-mine", replaced)
    assert names(sweep.gc()[0], "kept") == ["mine"]
    assert sweep.there("shop-mine")
    assert not sweep.cluster.store[key]["metadata"].get("annotations")


def test_one_that_was_made_anew_is_for_the_next_run_to_judge() -> None:
    sweep = Sweep()
    sweep.used("mine", 9 * DAY)

    def replaced() -> None:
        sweep.cluster.drop(("", "Namespace", "", "shop-mine"))
        sweep.used("mine", 9 * DAY)

    sweep.before_write("get", "Namespace/shop-mine", replaced)
    assert names(sweep.gc()[0], "kept") == ["mine"]
    assert sweep.there("shop-mine")
    assert names(sweep.gc()[0], "deleted") == ["mine"]


def test_one_that_is_made_anew_while_it_is_proved_gone_is_left_alone() -> None:
    sweep = Sweep()
    kinds = "rbac.authorization.k8s.io/v1/clusterroles/ClusterRole"
    sweep.used("mine", 9 * DAY)
    sweep.lock("shop-mine", holder="", cluster_scoped=kinds)

    def made_anew() -> None:
        made = sweep.used("mine", 0.0)
        labels = made["metadata"]["labels"]
        sweep.cluster.put(CLUSTER_ROLE, {**ROLE, "metadata": {"name": "new", "labels": labels}})

    sweep.before_write("watch", "Namespace/", made_anew)
    result, error = sweep.gc()
    assert error is None
    assert names(result, "deleted") == ["mine"]
    assert sweep.there("shop-mine")
    lease = sweep.cluster.store["coordination.k8s.io", "Lease", SYSTEM_NAMESPACE, "shop-mine"]
    assert lease["metadata"]["annotations"]["envctl.dev/cluster-scoped"] == kinds


def test_a_namespace_that_only_wears_our_labels_is_not_touched() -> None:
    sweep = Sweep()
    found = sweep.used("mine", 9 * DAY)
    meta = {**found["metadata"], "name": "kube-system"}
    sweep.cluster.put(NAMESPACE, {**found, "metadata": meta})
    sweep.gc()
    assert sweep.there("kube-system")


def test_another_projects_are_not_even_looked_at() -> None:
    sweep = Sweep()
    sweep.used("mine", 9 * DAY)
    sweep.used("yours", 9 * DAY, project="blog")
    result, _ = sweep.gc(project="shop")
    assert result.seen == 1
    assert sweep.there("blog-yours")


def test_a_run_that_would_delete_too_much_deletes_nothing() -> None:
    sweep = Sweep()
    for number in range(8):
        sweep.used(f"old{number}", 9 * DAY)
    sweep.used("young", HOUR)
    result, error = sweep.gc()
    assert error is not None
    assert error.exit_code == 77
    assert "8 of 9" in result.refused
    assert "may delete 5" in result.refused
    assert len(result.would_delete) == 8
    assert sweep.cluster.writes == []
    check_document("gc", result.as_json())
    assert len(names(sweep.gc(max_delete=8)[0], "deleted")) == 8


def test_really() -> None:
    sweep = Sweep()
    for number in range(8):
        sweep.used(f"old{number}", 9 * DAY)
    result, error = sweep.gc(really=True)
    assert error is None
    assert len(names(result, "deleted")) == 8


def test_a_dry_run_writes_nothing() -> None:
    sweep = Sweep()
    sweep.used("old", 9 * DAY)
    result, error = sweep.gc(dry_run=True)
    assert error is None
    assert [entry.name for entry in result.would_delete] == ["old"]
    assert sweep.cluster.writes == []


def test_what_is_stuck_is_named_with_what_holds_it() -> None:
    sweep = Sweep()
    sweep.used("held", 9 * DAY)
    held = {"metadata": {"name": "thing", "namespace": "shop-held",
                         "finalizers": ["example.org/held"]}}  # fmt: skip
    sweep.cluster.put(CONFIG_MAP, held)
    sweep.used("old", 9 * DAY)
    for _ in range(2):  # deleted and seen not to go, then found stuck from before
        result, error = sweep.gc()
        assert error is not None
        assert error.exit_code == 1
        assert "shop/held" in str(error)
        assert [s.object for o in result.of("stuck") for s in o.stuck] == ["ConfigMap/thing"]
        check_document("gc", result.as_json())
    assert not sweep.there("shop-old")


def test_one_that_goes_slowly_is_gone_on_with_until_it_counts_as_stuck() -> None:
    sweep = Sweep()
    for name, seconds in (("fresh", 60.0), ("late", STUCK_AFTER)):
        sweep.used(name, HOUR)
        meta = sweep.cluster.store["", "Namespace", "", f"shop-{name}"]["metadata"]
        meta["deletionTimestamp"] = stamped(seconds)
        meta["finalizers"] = ["example.org/held"]
    result, _ = sweep.gc(dry_run=True)
    assert [entry.name for entry in result.would_delete] == ["fresh"]
    assert names(result, "stuck") == ["late"]


def test_objects_outside_go_with_it_and_after_it() -> None:
    sweep = Sweep()
    mine = sweep.used("mine", 9 * DAY)
    kinds = "rbac.authorization.k8s.io/v1/clusterroles/ClusterRole"
    for name in ("mine", "gone"):
        labels = {**mine["metadata"]["labels"], "envctl.dev/name": name}
        role = {**ROLE, "metadata": {"name": f"role-{name}", "labels": labels}}
        sweep.cluster.put(CLUSTER_ROLE, role)
        sweep.lock(f"shop-{name}", holder="", cluster_scoped=kinds)
    result, error = sweep.gc()
    assert error is None
    assert sorted(names(result, "deleted")) == ["gone", "mine"]
    assert not [key for key in sweep.cluster.store if key[1] == "ClusterRole"]


def test_objects_outside_of_one_that_is_just_being_made_are_left_alone() -> None:
    sweep = Sweep()
    kinds = "rbac.authorization.k8s.io/v1/clusterroles/ClusterRole"
    sweep.lock("shop-mine", holder="", cluster_scoped=kinds)

    def made() -> None:
        labels = sweep.used("mine", 0.0)["metadata"]["labels"]
        sweep.cluster.put(CLUSTER_ROLE, {**ROLE, "metadata": {"name": "new", "labels": labels}})

    sweep.before_write("replace", "Lease/shop-mine", made)
    result, error = sweep.gc()
    assert error is None
    assert names(result, "deleted") == []
    assert [key[3] for key in sweep.cluster.store if key[1] == "ClusterRole"] == ["new"]


def test_a_lock_outlives_its_environment_for_as_long_as_a_job_can_run() -> None:
    sweep = Sweep()
    for name, seconds in (("old", RETENTION), ("young", 31 * DAY)):
        sweep.lock(f"shop-{name}", holder="", deleted_at=stamped(seconds), pipeline="9")
        key = ("coordination.k8s.io", "Lease", SYSTEM_NAMESPACE, f"shop-{name}")
        sweep.cluster.store[key]["metadata"]["creationTimestamp"] = stamped(99 * DAY)
        sweep.cluster.store[key]["spec"]["renewTime"] = None
    result, _ = sweep.gc()
    assert names(result, "deleted") == ["old"]
    left = [key[3] for key in sweep.cluster.store if key[1] == "Lease"]
    assert left == ["shop-young"]


def test_a_merge_request_is_warned_once_for_each_end() -> None:
    sweep = Sweep()
    assert sweep.forge
    sweep.of_merge_request("soon", "1", "open")
    sweep.used("soon", 3 * DAY - HOUR, merge_request="1", forge_project="https://git.example.org#7")
    sweep.of_merge_request("late", "2", "open")
    for _ in range(2):
        sweep.gc(warn_before=DAY)
    ((key, bodies),) = sweep.forge.notes.items()
    assert key == ("1", "<!-- envctl:warning shop/soon -->")
    assert len(bodies) == 1
    assert bodies[0].startswith(key[1])
    assert "envctl extend --project shop --name soon" in bodies[0]
    assert sweep.there("shop-soon")


def test_a_warning_that_cannot_be_written_fails_nothing() -> None:
    sweep = Sweep()
    assert sweep.forge
    sweep.of_merge_request("soon", "1", "open", expires_at=stamped(-HOUR), ttl=0.0)
    sweep.used("old", 9 * DAY)
    sweep.forge.broken = ForgeForbidden("No.", why="The token may not write notes.")
    result, error = sweep.gc(warn_before=DAY)
    assert error is None
    assert names(result, "deleted") == ["old"]
    assert any("nobody could be told" in e.message for e in sweep.events if isinstance(e, Note))


def test_hundreds_are_on_their_way_before_any_is_waited_for() -> None:
    sweep = Sweep()
    for number in range(300):
        sweep.used(f"e{number}", 9 * DAY)
    result, error = sweep.gc(really=True)
    assert error is None
    assert len(names(result, "deleted")) == 300
    deletes = [i for i, c in enumerate(sweep.cluster.calls) if c[0] == "delete"]
    watches = [i for i, c in enumerate(sweep.cluster.calls) if c[0] == "watch"]
    assert max(deletes) < min(watches)
    assert sweep.cluster.requests < 25 * 300
