from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from envctl.model.cases import Case, Report
from envctl.model.events import CasesRead, GraphPlanned, LogLine, StepFinished
from envctl.model.failure import Culprit, Failure
from envctl.model.step import Outcome
from envctl.output.junit import junit_xml
from envctl.output.recorder import MAX_LOG_LINES, Recorder
from tests.unit.output.samples import API_STEP, CONTEXT, DB, EVIL, FAILURE, SMOKE, WEB, run_of


def suite_of(recorder: Recorder) -> ET.Element:
    root = ET.fromstring(junit_xml(recorder, CONTEXT).encode())
    assert root.tag == "testsuites"
    return root[0]


def recorded(*events: object) -> Recorder:
    recorder = Recorder()
    for event in events:
        recorder.emit(event)  # type: ignore[arg-type]
    return recorder


def test_a_case_for_each_step_with_its_diagnosis() -> None:
    recorder = recorded(*run_of(DB, API_STEP, failing=FAILURE), GraphPlanned((WEB,)))
    suite = suite_of(recorder)
    assert suite.attrib["name"] == "envctl up shop/fix-cart"
    assert suite.attrib["timestamp"] == "2027-01-15T08:00:00.000"
    counts = {key: suite.attrib[key] for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "3", "failures": "1", "errors": "0", "skipped": "1"}
    db, api, web = suite
    assert (db.attrib["classname"], db.attrib["time"], len(db)) == ("envctl.helm", "2.000", 0)
    assert api[0].attrib == {"message": FAILURE.verdict, "type": "failed"}
    assert "line 29 of the log" in (api[0].text or "")
    assert web[0].attrib["message"] == "not reached"


def test_outcomes_are_told_apart() -> None:
    ends = {DB: Outcome.TIMED_OUT, WEB: Outcome.SKIPPED, SMOKE: Outcome.UNCHANGED}
    finished = [StepFinished(s, 1, 1.0, end, 1.0, message="because") for s, end in ends.items()]
    db, web, smoke = suite_of(recorded(*finished))
    assert (db[0].tag, db[0].text) == ("error", "because")
    assert (web[0].tag, web[0].attrib["message"]) == ("skipped", "because")
    assert len(smoke) == 0


def test_logs_of_a_step_are_in_it_but_not_without_end() -> None:
    lines = [LogLine(SMOKE, 1.0, "smoke", "pod", "main", f"line {n}") for n in range(2000)]
    end = StepFinished(SMOKE, 1, 1.0, Outcome.SUCCEEDED, 1.0)
    output = suite_of(recorded(*lines, end))[0].findtext("system-out") or ""
    assert len(output.splitlines()) == MAX_LOG_LINES
    assert output.splitlines()[-1] == "pod/main: line 1999"


def test_the_tests_of_a_check_are_a_suite_of_their_own() -> None:
    failed = Case("e2e.cart", "test_sum", "failed", 0.5, "6 is not 5", "E   6 is not 5\x1b[2J")
    report = Report((failed, Case("e2e.cart", "test_empty", seconds=0.25)), 2)
    end = StepFinished(SMOKE, 1, 1.0, Outcome.FAILED, 1.0, message="1 of 2 failed")
    root = ET.fromstring(junit_xml(recorded(CasesRead(SMOKE, 1.0, report), end), CONTEXT).encode())
    steps, tests = root
    assert (root.attrib["tests"], root.attrib["failures"]) == ("3", "2")
    assert (len(steps), tests.attrib["name"]) == (1, "smoke")
    assert (tests.attrib["tests"], tests.attrib["time"]) == ("2", "0.750")
    bad, good = tests
    assert (bad.attrib["classname"], bad.attrib["name"]) == ("e2e.cart", "test_sum")
    assert bad[0].attrib["message"] == "6 is not 5"
    assert (bad[0].text or "").startswith("E   6 is not 5")
    assert "\N{REPLACEMENT CHARACTER}" not in (bad[0].text or ""), "cleaned, not only made XML"
    assert len(good) == 0


@given(st.text(st.characters(exclude_categories=())))
def test_it_is_xml_whatever_the_logs_contain(text: str) -> None:
    said = f"{text}{EVIL}\ufffe]]>"
    culprit = Culprit(said, said, said, said, said, (said,), (said,), said)
    failure = Failure(said, (culprit,), said)
    suite = suite_of(
        recorded(
            LogLine(DB, 1.0, said, said, said, said),
            StepFinished(DB, 1, 1.0, Outcome.FAILED, 1.0, message=said, failure=failure),
        )
    )
    assert suite[0].find("failure") is not None
