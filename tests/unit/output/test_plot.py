"""What the gates were given, as a picture: every run a dot, and never a picture that is none."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envctl.errors import ConfigError
from envctl.model.gates import Verdict
from envctl.model.measured import Measured
from envctl.model.result import CheckResult, UpResult
from envctl.output.artifacts import check_artifacts, write_artifacts
from envctl.output.options import OutputOptions
from envctl.output.plot import MOST, plot
from envctl.output.recorder import Recorder
from tests.unit.output.samples import CONTEXT, EVIL, INFO

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SVG = "{http://www.w3.org/2000/svg}"


def recorded(*checks: CheckResult) -> Recorder:
    recorder = Recorder()
    recorder.remember(UpResult(INFO, "failed", (), checks, None, 0, 1.0))
    return recorder


def quality(
    *before: float, value: float | None = 0.8, limit: float | None = 0.9, result: str = "failed",
    samples: tuple[float, ...] = (), name: str = "quality",
) -> CheckResult:  # fmt: skip
    gate = Verdict("accuracy >= baseline", "accuracy", result, "because", value, limit)
    history = tuple(Measured((("accuracy", number),)) for number in before)
    kept = (("accuracy", samples),) if samples else ()
    return CheckResult(name, "failed", 1.0, (), (gate,), kept, history)


def drawn(*checks: CheckResult) -> ET.Element:
    return ET.fromstring(plot(recorded(*checks), CONTEXT))


def _at(circle: ET.Element, axis: str) -> float:
    return float(circle.attrib[f"c{axis}"])


def test_each_run_is_a_dot_and_this_one_has_the_verdicts_colour() -> None:
    found = drawn(quality(0.9, 0.95, 0.91))
    *before, now = found.iter(f"{SVG}circle")
    assert len(before) == 3
    assert [_at(dot, "x") for dot in before] == sorted(_at(dot, "x") for dot in before)
    assert _at(now, "x") > _at(before[-1], "x")
    assert _at(now, "y") == max(_at(dot, "y") for dot in (*before, now)), "0.8 is the lowest"
    assert min(before, key=lambda dot: _at(dot, "y")) is before[1], "0.95 is the highest"
    (limit,) = [line for line in found.iter(f"{SVG}line") if line.get("class") == "limit"]
    assert _at(before[0], "y") == float(limit.attrib["y1"]), "0.9 is what was demanded"
    passed = list(drawn(quality(result="passed")).iter(f"{SVG}circle"))[-1]
    assert passed.attrib["fill"] != now.attrib["fill"]


def test_the_numbers_at_the_scale_and_samples_as_a_bar() -> None:
    found = drawn(quality(0.5, samples=(0.7, 0.8, 0.9)))
    texts = [text.text or "" for text in found.iter(f"{SVG}text")]
    assert {"0.5", "0.9", "0.8"} <= set(texts)
    bars = [line for line in found.iter(f"{SVG}line") if line.get("stroke-width") == "6"]
    assert len(bars) == 1
    assert not [
        line for line in drawn(quality(0.5)).iter(f"{SVG}line") if line.get("stroke-width") == "6"
    ]


@pytest.mark.parametrize(("limit", "labels"), [(0.9, 2), (0.8001, 1)])
def test_what_was_demanded_is_labelled_where_there_is_room(limit: float, labels: int) -> None:
    texts = list(drawn(quality(0.5, 1.0, value=0.8, limit=limit)).iter(f"{SVG}text"))
    right = [text.text for text in texts if float(text.attrib["x"]) > 500]
    assert len(right) == labels
    assert "0.8" in right


def test_a_gate_without_numbers_is_left_out_and_without_gates_it_says_so() -> None:
    assert "no gate has been judged" in plot(recorded(), CONTEXT)
    assert "no gate has been judged" in plot(recorded(quality(value=None, limit=None)), CONTEXT)
    assert "no gate" not in plot(recorded(quality()), CONTEXT)


def test_of_very_many_gates_the_first_are_drawn() -> None:
    found = drawn(*(quality(name=f"c{number}") for number in range(MOST + 9)))
    assert len(list(found.iter(f"{SVG}circle"))) == MOST


@given(st.lists(NUMBERS, max_size=20), NUMBERS, NUMBERS, st.lists(NUMBERS, max_size=5))
@example([1.7e308, -1.7e308], 0.0, 1.0, [])
@example([5e-324, 0.0], 5e-324, 0.0, [])
def test_it_is_a_picture_whatever_was_measured(
    before: list[float], value: float, limit: float, samples: list[float]
) -> None:
    text = plot(
        recorded(quality(*before, value=value, limit=limit, samples=tuple(samples))), CONTEXT
    )
    root = ET.fromstring(text)
    top, bottom = 0.0, float(root.attrib["viewBox"].split()[3])
    for circle in root.iter(f"{SVG}circle"):
        assert top <= _at(circle, "y") <= bottom
    assert not re.search(r'"(nan|-?inf)"', text)
    assert all(math.isfinite(_at(circle, "x")) for circle in root.iter(f"{SVG}circle"))


def test_names_are_shown_as_they_are() -> None:
    text = plot(recorded(quality(name=f"<script>{EVIL}")), CONTEXT)
    assert "<script>" not in text
    ET.fromstring(text)


def test_where_it_cannot_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--plot"):
        check_artifacts(OutputOptions(plot=tmp_path / "file/gates.svg"))


def test_it_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "gates.svg"
    assert not write_artifacts(OutputOptions(plot=path), recorded(quality()), CONTEXT, {})
    assert path.read_text().startswith("<svg")
