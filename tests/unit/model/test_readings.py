"""The numbers that a check writes to its output, and the lines that have none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model import measures, readings
from envctl.model.readings import read

IN_OUTPUT = tuple(form for form in readings.FORMATS if form != readings.TERMINATION)


@pytest.mark.parametrize(
    ("form", "lines", "found"),
    [
        ("logfmt", ["loading the model", "level=info accuracy=0.93 took=5s loss=1e-3"],
         {"accuracy": 0.93, "loss": 0.001}),
        ("openmetrics", ["# TYPE accuracy gauge", "accuracy 0.93", 'f1{class="cat",a="b"} 1 1700',
                         "# EOF"], {"accuracy": 0.93, 'f1{a="b",class="cat"}': 1.0}),
        ("json", ['{"accuracy": 0.93, "ok": true, "name": "x", "per": {"cat": {"f1": 1}}}', ""],
         {"accuracy": 0.93, "per.cat.f1": 1.0}),
        ("json", ['{"loss": 2}', '{"loss": 1}'], {"loss": 1.0}),
    ],
)  # fmt: skip
def test_each_format_is_read(form: str, lines: list[str], found: dict[str, float]) -> None:
    reading = read(form, lines)
    assert dict(reading.metrics) == found
    assert reading.complaints() == []


@pytest.mark.parametrize(
    ("form", "line", "why"),
    [
        ("openmetrics", "loading the model", "it is no openmetrics"),
        ("openmetrics", "accuracy NaN", "accuracy is no finite number"),
        ("openmetrics", "accuracy +Inf", "accuracy is no finite number"),
        ("openmetrics", 'x{a="b} 1', "it is no openmetrics"),
        ("json", "done", "it is no json"),
        ("json", "[1, 2]", "it is no JSON object"),
        ("json", '{"accuracy": NaN}', "accuracy is no finite number"),
        ("json", "[" * 100_000, "it is no json"),
        ("json", '{"a": 1' + "0" * 400 + "}", "it is no json"),
        ("json", '{"' + "a" * 200 + '": 1}', "is too long"),
    ],
)
def test_a_line_that_has_no_numbers_is_named(form: str, line: str, why: str) -> None:
    good = {"json": '{"loss": 1}', "openmetrics": "loss 1"}[form]
    reading = read(form, [good, line])
    assert dict(reading.metrics) == {"loss": 1.0}
    (complaint,) = reading.complaints()
    assert complaint.startswith("line 2, ")
    assert why in complaint
    assert len(complaint) < 300


def test_a_hundred_thousand_numbers_are_bounded_and_that_is_said() -> None:
    reading = read("openmetrics", [f"metric_{n} 1" for n in range(100_000)])
    assert len(reading.metrics) == measures.MOST
    assert reading.complaints() == ["99960 numbers beyond the first 40 are left out"]


def test_many_wrong_lines_are_counted() -> None:
    complaints = read("json", ["x"] * 10).complaints()
    assert len(complaints) == readings.NAMED + 1
    assert complaints[-1] == "7 more lines have none either"


@pytest.mark.parametrize("form", IN_OUTPUT)
@given(lines=st.lists(st.text(max_size=40), max_size=5))
def test_whatever_is_written_gives_finite_numbers_or_a_complaint(
    form: str, lines: list[str]
) -> None:
    reading = read(form, lines)
    assert all(math.isfinite(value) for _, value in reading.metrics)
    assert len(reading.complaints()) <= readings.NAMED + 2
