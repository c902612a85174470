"""Gates decide by what a check measured, without measuring it again, and keep what was good."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from envctl.config.ci import CIContext
from envctl.errors import CheckFailed, Unavailable
from envctl.model import measured
from envctl.model.events import Note
from envctl.model.measured import Measured
from envctl.model.objects import JOB, LEASE, POD, SECRET, Obj
from tests.unit.workflow.world import Shop, config

if TYPE_CHECKING:
    from pathlib import Path

    from envctl.errors import EnvctlError
    from envctl.model.result import CheckResult

NS = "shop-fix"


@dataclass
class Lab:
    """A shop whose checks' Jobs end at once, and leave the numbers that the test gives."""

    shop: Shop
    numbers: dict[str, str] = field(default_factory=dict)
    """What each check's runs leave, one after the other, separated by ``|``."""
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop.cluster.after = self._after

    def _after(self, kind: str, what: str) -> None:
        if kind != "apply" or not what.startswith("Job/"):
            return
        name = what.removeprefix("Job/")
        self.ran.append(name)
        job = self.shop.cluster.store["batch", "Job", NS, name]
        done = {"conditions": [{"type": "Complete", "status": "True"}], "succeeded": 1}
        owner = {"uid": job["metadata"]["uid"], "kind": "Job", "name": name, "controller": True}
        messages = self.numbers.get(name, "").split("|")
        assert len(messages) == job["spec"].get("completions", 1)
        for number, message in enumerate(messages):
            end = {"exitCode": 0, "message": message}
            self.shop.cluster.put(POD, {
                "metadata": {"name": f"{name}-{number}", "namespace": NS,
                             "ownerReferences": [owner],
                             "labels": {"batch.kubernetes.io/job-name": name}},
                "spec": {"containers": [{"name": "run"}]},
                "status": {"phase": "Succeeded",
                           "containerStatuses": [{"name": "run", "state": {"terminated": end}}]},
            })  # fmt: skip
        self.shop.cluster.put(JOB, {**job, "status": done})

    def write(self, *checks: str) -> None:
        """An envctl.yaml with these checks, each a flow mapping without its job."""
        lines = "".join(f"  - {{job: {_name(text)}.yaml, {text}}}\n" for text in checks)
        jobs: dict[str, list[Obj]] = {_name(text): [_job(_name(text))] for text in checks}
        self.shop.write(
            f"components:\n  - {{name: a, manifests: [a.yaml]}}\nchecks:\n{lines}",
            a=[config("a")], **jobs,
        )  # fmt: skip

    def up(self) -> tuple[tuple[CheckResult, ...], EnvctlError | None]:
        self.ran.clear()
        result, error = self.shop.up()
        return result.checks, error

    def lease(self, name: str = NS) -> Obj:
        return self.shop.cluster.store["coordination.k8s.io", "Lease", "envctl-system", name]

    def good_runs(self, check: str = "quality") -> list[dict[str, float]]:
        runs = measured.load(self.lease()["metadata"].get("annotations", {}))
        return [dict(run.metrics) for run in runs.get(check, ())]

    def main_measured(self, check: str = "quality", definition: int = 1, **metrics: float) -> None:
        """What the target branch's last good run was."""
        run = Measured(tuple(metrics.items()), 1.0, definition, "c0ffee", "2026-01-01T00:00:00Z")
        notes = {measured.ANNOTATION: measured.added({}, check, run)}
        meta = {"name": "shop-main", "namespace": "envctl-system", "annotations": notes}
        self.shop.cluster.put(LEASE, {"metadata": meta, "spec": {}})


def _name(check: str) -> str:
    return check.partition("name: ")[2].partition(",")[0]


def _job(name: str) -> Obj:
    container = {"name": "run", "image": "busybox"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"template": {"spec": {"containers": [container]}}}}  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(Shop(tmp_path))


def test_good_numbers_pass_and_are_the_next_baseline(lab: Lab) -> None:
    lab.write('name: quality, gates: ["accuracy >= 0.9"]')
    lab.numbers = {"quality": "accuracy=0.93 loss=0.1"}
    (check,), error = lab.up()
    assert error is None
    assert check.result == "passed"
    assert [gate.result for gate in check.gates] == ["passed"]
    assert lab.good_runs() == [{"accuracy": 0.93, "loss": 0.1}]


def test_a_gate_that_fails_ends_the_run_with_4_and_is_no_baseline(lab: Lab) -> None:
    lab.write('name: quality, gates: ["accuracy >= 0.9", "loss < 1"]')
    lab.numbers = {"quality": "accuracy=0.8 loss=0.1"}
    (check,), error = lab.up()
    assert isinstance(error, CheckFailed)
    assert error.exit_code == 4
    assert "accuracy is 0.8, and must be >= 0.9" in error.what
    assert error.failure is not None
    assert [c.message for c in error.failure.culprits] == [
        "accuracy >= 0.9: accuracy is 0.8, and must be >= 0.9"
    ]
    assert check.result == "failed"
    assert check.metrics == (("accuracy", 0.8), ("loss", 0.1))
    assert [gate.result for gate in check.gates] == ["failed", "passed"]
    assert lab.good_runs() == []


def test_the_same_numbers_fail_again_and_are_not_measured_again(lab: Lab) -> None:
    lab.write('name: quality, gates: ["accuracy >= 0.9"]')
    lab.numbers = {"quality": "accuracy=0.8"}
    lab.up()
    (check,), error = lab.up()
    assert isinstance(error, CheckFailed)
    assert lab.ran == []
    assert check.result == "failed"


def test_a_gate_that_was_changed_judges_what_is_known(lab: Lab) -> None:
    lab.write('name: quality, gates: ["accuracy >= 0.9"]')
    lab.numbers = {"quality": "accuracy=0.8"}
    lab.up()
    lab.write('name: quality, gates: ["accuracy >= 0.7"]')
    (check,), error = lab.up()
    assert error is None
    assert lab.ran == []
    assert (check.result, check.gates[0].result) == ("unchanged", "passed")
    assert lab.good_runs() == [{"accuracy": 0.8}]
    lab.up()
    assert lab.good_runs() == [{"accuracy": 0.8}], "seen again, it is no run more"


def test_a_change_is_compared_with_the_target_branch(lab: Lab) -> None:
    lab.main_measured(p95_ms=100.0)
    lab.write('name: quality, gates: ["p95_ms <= baseline * 1.10"]')
    lab.numbers = {"quality": "p95_ms=120"}
    (check,), error = lab.up()
    assert isinstance(error, CheckFailed)
    assert (check.gates[0].value, check.gates[0].baseline) == (120.0, 100.0)
    lab.main_measured(p95_ms=115.0)
    (check,), error = lab.up()
    assert error is None
    assert lab.ran == []
    assert check.gates[0].baseline == 115.0


@pytest.mark.parametrize("definition", [None, 2])
def test_without_a_baseline_of_this_definition_nothing_is_claimed(
    lab: Lab, definition: int | None
) -> None:
    if definition:
        lab.main_measured(definition=definition, p95_ms=100.0)
    lab.write('name: quality, gates: ["p95_ms <= baseline"]')
    lab.numbers = {"quality": "p95_ms=120"}
    (check,), error = lab.up()
    assert error is None
    assert [(gate.result, gate.why) for gate in check.gates] == [
        ("unknown", "there is no baseline of p95_ms yet")
    ]


def test_a_branch_is_compared_with_its_own_earlier_runs_and_never_with_itself(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CIContext, "baselines", lambda _: ())
    lab.write('name: quality, gates: ["accuracy > baseline"]')
    lab.numbers = {"quality": "accuracy=0.8"}
    assert lab.up()[0][0].gates[0].result == "unknown"
    assert lab.up()[0][0].gates[0].result == "unknown"
    lab.numbers = {"quality": "accuracy=0.9"}
    lab.shop.write(
        "components:\n  - {name: a, manifests: [a.yaml]}\nchecks:\n"
        '  - {job: quality.yaml, name: quality, gates: ["accuracy > baseline"]}\n',
        a=[config("a", "2")],
    )
    for _ in range(2):
        (check,), error = lab.up()
        assert error is None
        assert (check.gates[0].result, check.gates[0].baseline) == ("passed", 0.8)


def test_a_baseline_that_cannot_be_read_is_no_missing_one(lab: Lab) -> None:
    lab.main_measured(p95_ms=100.0)
    lab.write('name: quality, gates: ["p95_ms <= baseline"]')
    lab.numbers = {"quality": "p95_ms=120"}

    def before(kind: str, what: str) -> None:
        if kind == "get" and what == "Lease/shop-main":
            raise Unavailable("The cluster does not answer.")

    lab.shop.cluster.before = before
    _, error = lab.up()
    assert isinstance(error, Unavailable)


def test_a_check_that_runs_several_times_is_judged_by_its_samples(lab: Lab) -> None:
    lab.write('name: quality, runs: 5, gates: ["accuracy >= 0.9"]')
    lab.numbers = {"quality": "accuracy=0.93|accuracy=0.94|accuracy=0.95|accuracy=0.92|accuracy=1"}
    (check,), error = lab.up()
    assert error is None
    assert check.metrics == (("accuracy", 0.94),)
    assert check.samples == (("accuracy", (0.93, 0.94, 0.95, 0.92, 1.0)),)
    assert check.gates[0].why == "accuracy is 0.94, and is >= 0.9 (100% sure)"
    runs = measured.load(lab.lease()["metadata"]["annotations"])["quality"]
    assert runs[-1].samples == check.samples
    assert lab.shop.cluster.store["batch", "Job", NS, "quality"]["spec"]["parallelism"] == 1

    lab.write('name: quality, runs: 5, gates: ["accuracy >= 0.935"]')
    (check,), error = lab.up()
    assert error is None, "noise fails nothing"
    assert check.gates[0].result == "unknown"
    assert lab.ran == []


def test_numbers_may_stand_in_the_output(lab: Lab) -> None:
    async def logs(*_: Any, **__: Any) -> list[str]:
        return ["loading with hunter2-secret", '{"accuracy": 0.93}']

    secret = {"metadata": {"name": "db", "namespace": NS}, "stringData": {"key": "hunter2-secret"}}
    lab.shop.cluster.put(SECRET, secret)
    lab.shop.cluster.logs = logs  # type: ignore[method-assign]
    lab.write("name: quality, metrics: json")
    (check,), error = lab.up()
    assert error is None
    assert check.metrics == (("accuracy", 0.93),)
    notes = [e.message for e in lab.shop.events if isinstance(e, Note) and "numbers" in e.message]
    assert notes == ["the numbers of quality-0: line 1, 'loading with ***': it is no json"]


def test_samples_are_compared_with_those_of_the_target_branch(lab: Lab) -> None:
    lab.main_measured(loss=1.0)
    lab.write('name: quality, runs: 5, gates: ["loss <= baseline"]')
    lab.numbers = {"quality": "loss=2|loss=2|loss=2|loss=2|loss=2"}
    (check,), error = lab.up()
    assert error is None
    assert check.gates[0].why == "1 runs are not enough to tell; 5 of each side are"


def test_checks_are_compared_with_each_other(lab: Lab) -> None:
    lab.write('name: candidate, gates: ["loss < control.loss"]', "name: control")
    lab.numbers = {"candidate": "loss=0.3", "control": "loss=0.2"}
    _, error = lab.up()
    assert isinstance(error, CheckFailed)
    assert lab.ran == ["control", "candidate"]
    assert "loss is 0.3, and must be < 0.2" in error.what


def test_a_metric_that_was_not_measured_fails_its_gate(lab: Lab) -> None:
    lab.write('name: quality, gates: ["accuracy >= 0.9"]')
    lab.numbers = {"quality": "accuracy=nan loss=1"}
    _, error = lab.up()
    assert isinstance(error, CheckFailed)
    assert "the check measured no accuracy; it measured loss" in error.what


def test_only_so_many_runs_are_kept_and_there_is_room_for_all() -> None:
    notes: dict[str, str] = {}
    for number in range(50):
        run = Measured((("n", float(number)),), at=f"2026-01-01T00:00:{number:02}Z")
        notes[measured.ANNOTATION] = measured.added(notes, "quality", run)
    kept = [run.metrics[0][1] for run in measured.load(notes)["quality"]]
    assert kept == [float(n) for n in range(50 - measured.MOST_RUNS, 50)]


def test_many_checks_with_many_numbers_fit_and_the_newest_stays() -> None:
    notes: dict[str, str] = {}
    metrics = tuple((f"a_metric_with_a_long_name_{n}", 1.23456789) for n in range(40))
    for number in range(60):
        run = Measured(metrics, at=f"2026-01-01T00:00:{number:02}Z")
        notes[measured.ANNOTATION] = measured.added(notes, f"check-{number}", run)
        assert len(notes[measured.ANNOTATION]) <= measured.ROOM
        assert f"check-{number}" in measured.load(notes)
    assert "check-58" in measured.load(notes)
    assert "check-0" not in measured.load(notes)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"a": 1}', '{"a": [{}]}', "null"])
def test_what_cannot_be_read_is_no_baseline(text: str) -> None:
    assert measured.load({measured.ANNOTATION: text}) == {}


def test_a_run_is_read_as_it_was_written() -> None:
    run: Any = Measured((("accuracy", 0.5),), 2.5, 3, "abc", "2026-01-01T00:00:00Z")
    text = measured.added({}, "quality", run)
    assert measured.load({measured.ANNOTATION: text}) == {"quality": (run,)}
    assert json.loads(text)


def test_the_runs_that_a_check_was_judged_beside_are_told(lab: Lab) -> None:
    lab.write('name: quality, gates: ["accuracy >= baseline - 0.1"]')
    lab.main_measured(accuracy=0.9)
    lab.numbers = {"quality": "accuracy=0.93"}
    (check,), _ = lab.up()
    assert [dict(run.metrics) for run in check.history] == [{"accuracy": 0.9}], "main's"
    lab.write('name: quality, gates: ["accuracy >= 0.5"]')
    lab.numbers = {"quality": "accuracy=0.94"}
    (check,), _ = lab.up()
    assert check.history == (), "its own, and the run itself is none of them"
    lab.shop.up(stages=("test",))
    lab.numbers = {"quality": "accuracy=0.95"}
    result, _ = lab.shop.up(stages=("test",))
    history = [dict(run.metrics) for run in result.checks[0].history]
    assert history == [{"accuracy": 0.93}, {"accuracy": 0.94}]
    assert result.checks[0].gates[0].baseline is None, "its own runs are no baseline"
