from __future__ import annotations

import io
import re

from envctl.model.events import LogLine, Note, StepFinished, StepProgress, StepStarted
from envctl.model.step import Outcome
from envctl.output.sections import MAX_LINES, Sections, section_name
from tests.unit.output.samples import API_STEP, CONTEXT, DB, EVIL, FAILURE, SMOKE, run_of

_MARKER = re.compile(r"section_(start|end):(\d+):([A-Za-z0-9_.-]+)(\[[^\]]*\])?\r\x1b\[0K")


def job_log(*events: object, stop: bool = True) -> str:
    stream = io.StringIO()
    sections = Sections(CONTEXT, stream.write)
    for event in events:
        sections.emit(event)  # type: ignore[arg-type]
    if stop:
        sections.stop()
    return stream.getvalue()


def markers(log: str) -> list[tuple[str, str, str]]:
    return [(m[1], m[3], m[4] or "") for m in _MARKER.finditer(log)]


def test_steps_at_the_same_time_become_sections_one_after_the_other() -> None:
    log = job_log(
        StepStarted(DB, 1, 0.0),
        StepStarted(API_STEP, 1, 0.0),
        StepProgress(DB, 1, 1.0, "installing"),
        StepFinished(API_STEP, 1, 2.0, Outcome.SUCCEEDED, 2.0),
        StepFinished(DB, 1, 3.0, Outcome.FAILED, 3.0, failure=FAILURE),
    )
    assert markers(log) == [
        ("start", "envctl_api_8f3a2c11", "[collapsed=true]"),
        ("end", "envctl_api_8f3a2c11", ""),
        ("start", "envctl_db_8f3a2c11", ""),
        ("end", "envctl_db_8f3a2c11", ""),
    ]
    assert "section_start:1800000000:envctl_db" in log
    assert "section_end:1800000003:envctl_db" in log
    assert "db: failed (3.0 s)" in log
    assert "\nts=" in log.partition("envctl_db")[2]


def test_a_pod_cannot_forge_a_section() -> None:
    evil = LogLine(SMOKE, 1.0, "smoke", "pod", "main", EVIL)
    log = job_log(StepStarted(SMOKE, 1, 0.0), evil, Note("info", EVIL, 1.0))
    assert len(markers(log)) == 2
    assert "section_start:1:x" not in log


def test_what_belongs_to_no_step_is_written_at_once() -> None:
    log = job_log(StepStarted(DB, 1, 0.0), Note("info", "hello", 1.0), stop=False)
    assert log.count("\n") == 1
    assert "msg=hello" in log


def test_a_long_step_shows_signs_of_life_but_not_many() -> None:
    moves = [StepProgress(DB, 1, elapsed / 10, "applied") for elapsed in range(600)]
    log = job_log(StepStarted(DB, 1, 0.0), *moves, stop=False)
    assert 4 <= log.count("still working") <= 6
    assert "running=db" in log


def test_a_job_that_is_stopped_still_shows_what_it_had() -> None:
    log = job_log(*run_of(DB)[:2])
    assert "db: not finished" in log
    assert "collapsed" not in log


def test_only_the_last_lines_of_a_step_are_kept() -> None:
    lines = [LogLine(SMOKE, 1.0, "smoke", "pod", "main", f"n{n}") for n in range(MAX_LINES + 10)]
    log = job_log(*lines)
    assert "(10 lines left out)" in log
    assert "msg=n9 " not in log
    assert "msg=n10 " in log


def test_names_are_what_gitlab_takes() -> None:
    assert (
        section_name("check/smoke test\r\x1b", "8f3a2c11-dead")
        == "envctl_check_smoke_test_8f3a2c11"
    )
