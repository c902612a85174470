"""Gates over several runs: a difference is seen, and noise is not taken for one."""

from __future__ import annotations

import random

import pytest

from envctl.model import gates
from envctl.model.sampling import judge

NOT_WORSE = gates.parse("loss <= baseline")


def drawn(chooser: random.Random, mean: float, runs: int) -> dict[str, tuple[float, ...]]:
    return {"loss": tuple(chooser.gauss(mean, 1.0) for _ in range(runs))}


def shares(shift: float, runs: int, tries: int = 60) -> dict[str, float]:
    """How often each verdict comes, where the true difference is ``shift`` deviations."""
    chooser = random.Random(f"{shift} {runs}")
    found = [
        judge(NOT_WORSE, drawn(chooser, shift, runs), drawn(chooser, 0.0, runs), {}).result
        for _ in range(tries)
    ]
    return {word: found.count(word) / tries for word in ("passed", "failed", "unknown")}


def test_noise_decides_nothing() -> None:
    found = shares(0.0, runs=8)
    assert found["failed"] <= 0.15
    assert found["passed"] <= 0.15


def test_a_large_difference_is_seen() -> None:
    found = shares(3.0, runs=8)
    assert found["failed"] >= 0.9
    assert found["passed"] == 0


def test_the_same_numbers_have_the_same_answer() -> None:
    here, before = drawn(random.Random(1), 0.5, 8), drawn(random.Random(2), 0.0, 8)
    assert len({judge(NOT_WORSE, here, before, {}) for _ in range(3)}) == 1


@pytest.mark.parametrize(
    ("here", "before", "result", "why"),
    [
        ((1.0,), (2.0,), "passed", "loss is 1, and is <= 2"),
        ((3.0,), (2.0,), "failed", "loss is 3, and must be <= 2"),
        ((1.0,) * 4, (2.0,) * 9, "unknown", "4 runs are not enough to tell; 5 of each side are"),
        ((1.0,) * 9, (2.0,), "unknown", "1 runs are not enough to tell; 5 of each side are"),
        ((1.0,) * 5, (2.0,) * 5, "passed", "loss is 1, and is <= 2 (100% sure)"),
        ((3.0,) * 5, (2.0,) * 5, "failed", "loss is 3, and must be <= 2 (100% sure)"),
    ],
)
def test_few_runs_claim_nothing_and_single_numbers_are_compared(
    here: tuple[float, ...], before: tuple[float, ...], result: str, why: str
) -> None:
    verdict = judge(NOT_WORSE, {"loss": here}, {"loss": before}, {})
    assert (verdict.result, verdict.why) == (result, why)


def test_runs_that_say_both_do_not_tell() -> None:
    verdict = judge(gates.parse("loss <= 2"), {"loss": (1.0, 1.0, 1.0, 3.0, 3.0)}, None, {})
    assert verdict.result == "unknown"
    assert verdict.why.startswith("these runs do not tell: loss is 1, and is <= 2 in ")


def test_what_is_missing_is_told_as_for_single_numbers() -> None:
    runs = {"loss": (1.0,) * 5}
    assert judge(gates.parse("f1 > 0"), runs, None, {}).result == "failed"
    assert judge(NOT_WORSE, runs, None, {}).why == "there is no baseline of loss yet"
    assert judge(gates.parse("loss / (loss - loss) > 0"), runs, None, {}).result == "failed"


def test_another_check_is_a_side_of_its_own() -> None:
    gate = gates.parse("loss < control.loss")
    assert (
        judge(gate, {"loss": (1.0,) * 6}, None, {"control": {"loss": (2.0,) * 6}}).result
        == "passed"
    )
    assert (
        judge(gate, {"loss": (1.0,) * 6}, None, {"control": {"loss": (2.0,)}}).result == "unknown"
    )
