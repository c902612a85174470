"""Where the time went, in a table, in a log, as a trace and as a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from envctl.errors import ConfigError
from envctl.model.events import Spent
from envctl.output.artifacts import check_artifacts, write_artifacts
from envctl.output.lines import plain_text
from envctl.output.options import OutputOptions
from envctl.output.recorder import MAX_SPENT, Recorder
from envctl.output.sink import open_output
from envctl.output.symbols import UNICODE
from envctl.output.timings import timing_lines, timing_logfmt
from envctl.output.trace import chrome_trace
from envctl.output.waterfall import waterfall
from tests.unit.output.samples import (
    API_STEP,
    CONTEXT,
    DB,
    EVIL,
    SMOKE,
    WEB,
    Tty,
    run_of,
    up_result,
)  # fmt: skip

if TYPE_CHECKING:
    from pathlib import Path


def recorded(name: str = "upgrade db") -> Recorder:
    recorder = Recorder()
    for event in run_of(DB, API_STEP, WEB, SMOKE):
        recorder.emit(event)
    recorder.emit(Spent(DB, "helm", name, 0.1, 1.1))
    recorder.emit(Spent(WEB, "pull", f"web-1: {name}", 4.0, 5.5))
    recorder.emit(Spent(None, "api", "GET leases/x", 0.0, 0.05))
    return recorder


def test_the_table_says_what_took_how_long_and_what_decided() -> None:
    text = plain_text(timing_lines(recorded(), UNICODE, 100))
    head, *rest = text.strip().splitlines()
    assert head.split() == ["STEP", "FROM", "TOOK", "HELM", "API", "REQUESTS", "PULL"]
    assert next(row for row in rest if row.startswith("db")).split()[-2:] == ["1.0", "s"]
    assert "db → api → web → smoke" in text
    assert all(
        len(row) <= 60 for row in plain_text(timing_lines(recorded(), UNICODE, 60)).split("\n")
    )


def test_the_log_has_a_line_a_step() -> None:
    lines = timing_logfmt(CONTEXT, recorded())
    assert len(lines) == 5
    assert any("step=db" in line and "helm=1.0" in line for line in lines)


@pytest.mark.parametrize("name", ["upgrade db", EVIL, '<script>alert(1)</script>&"'])
def test_trace_and_picture_are_valid_whatever_names_say(name: str) -> None:
    events = json.loads(chrome_trace(recorded(name), CONTEXT))["traceEvents"]
    drawn = [event for event in events if event["ph"] == "X"]
    assert len(drawn) == 5 + 3
    assert {event["cat"] for event in drawn} == {"step", "helm", "pull", "api"}
    assert next(e for e in drawn if e["cat"] == "pull")["dur"] == 1_500_000
    root = ET.fromstring(waterfall(recorded(name), CONTEXT))
    assert root.tag.endswith("svg")
    assert not [part for part in root.iter() if part.tag.endswith("script")]
    assert "\x1b" not in waterfall(recorded(name), CONTEXT)


def test_a_run_that_did_nothing() -> None:
    ET.fromstring(waterfall(Recorder(), CONTEXT))
    assert json.loads(chrome_trace(Recorder(), CONTEXT))["traceEvents"]
    timing_lines(Recorder(), UNICODE, 80)


def test_memory_is_bounded() -> None:
    recorder = Recorder()
    for _ in range(MAX_SPENT + 10):
        recorder.emit(Spent(None, "api", "GET x", 0.0, 0.1))
    assert len(recorder.spent) == MAX_SPENT


@pytest.mark.parametrize("suffix", [".svg", ".json"])
def test_the_suffix_says_what_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"trace{suffix}"
    assert not write_artifacts(OutputOptions(trace=path), recorded(), CONTEXT, {})
    assert path.read_text().startswith("<svg" if suffix == ".svg" else '{"traceEvents"')


def test_another_suffix_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.svg or in \.json"):
        check_artifacts(OutputOptions(trace=tmp_path / "trace.txt"))


def test_it_is_told_only_when_asked_and_never_on_stdout() -> None:
    for asked in (True, False):
        out, err = Tty(), Tty()
        with open_output(
            OutputOptions(timings=asked), CONTEXT, stdout=out, stderr=err, environ={"TERM": "dumb"}
        ) as output:
            for event in run_of(DB, WEB):
                output.emit(event)
            output.emit(Spent(DB, "helm", "upgrade db", 0.1, 1.1))
            output.result(up_result())
        assert ("TOOK" in err.getvalue()) is asked
        assert "TOOK" not in out.getvalue()
