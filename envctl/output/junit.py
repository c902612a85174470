"""The steps of a run as JUnit XML, which every CI shows beside the merge request.

XML 1.0 has no way to write most control characters, so all text is cleaned of them; a report that
a parser rejects would hide the failure it was made for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from envctl.model.step import Outcome
from envctl.output.failure import failure_screen
from envctl.output.lines import plain_text
from envctl.output.symbols import ASCII
from envctl.output.text import clean

if TYPE_CHECKING:
    from envctl.model.cases import Case
    from envctl.model.events import LogLine, StepFinished
    from envctl.model.step import Step
    from envctl.output.context import RunContext
    from envctl.output.recorder import Recorder

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDTH = 120


def junit_xml(recorder: Recorder, context: RunContext) -> str:
    """The report: a suite for the run, a case for each step; steps that did not run are skipped.

    The tests that a check has reported are a suite of their own.
    """
    steps = [_case(step, recorder) for step in recorder.steps.values()]
    name = " ".join(part for part in ("envctl", context.verb, context.title) if part)
    found = [_suite(name, steps, recorder.elapsed, context)]
    for step, report in recorder.reports.items():
        inner = [_inner(case) for case in report.cases]
        seconds = sum(case.seconds for case in report.cases)
        found.append(_suite(step.replace("/", " "), inner, seconds, context))
    everything = [case for suite in found for case in suite]
    suites = ET.Element("testsuites", {"name": "envctl", **_counts(everything, recorder.elapsed)})
    suites.extend(found)
    ET.indent(suites)
    body = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(name: str, cases: list[ET.Element], seconds: float, context: RunContext) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        {"name": _attribute(name), **_counts(cases, seconds), "timestamp": _moment(context)},
    )
    suite.extend(cases)
    return suite


def _counts(cases: list[ET.Element], seconds: float) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(_number(cases, "failure")),
        "errors": str(_number(cases, "error")),
        "skipped": str(_number(cases, "skipped")),
        "time": f"{seconds:.3f}",
    }


_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def _inner(found: Case) -> ET.Element:
    """A test of a check, as its own report had it."""
    case = ET.Element(
        "testcase",
        {
            "classname": _attribute(found.group),
            "name": _attribute(found.name),
            "time": f"{found.seconds:.3f}",
        },
    )
    if tag := _TAGS.get(found.outcome):
        element = ET.SubElement(case, tag, {"message": _attribute(found.message)})
        element.text = _xml("\n".join(map(clean, found.text.splitlines())))
    return case


def _number(cases: list[ET.Element], tag: str) -> int:
    return sum(case.find(tag) is not None for case in cases)


def _moment(context: RunContext) -> str:
    """The suite's begin, without a zone: the JUnit schema knows none."""
    return context.timestamp(0.0).removesuffix("Z")


def _case(step: Step, recorder: Recorder) -> ET.Element:
    finished = recorder.finished.get(step.name)
    attributes = {
        "classname": f"envctl.{_attribute(step.kind)}",
        "name": _attribute(step.component or step.name),
        "time": f"{finished.seconds if finished else 0.0:.3f}",
    }
    if step.component and step.component != step.name:
        attributes["name"] = _attribute(f"{step.component}: {step.name}")
    case = ET.Element("testcase", attributes)
    _outcome(case, finished)
    if logs := recorder.logs.get(step.name):
        output = ET.SubElement(case, "system-out")
        output.text = _xml("".join(f"{_log(entry)}\n" for entry in logs))
    return case


def _outcome(case: ET.Element, finished: StepFinished | None) -> None:
    if finished is None:
        ET.SubElement(case, "skipped", {"message": "not reached"})
        return
    match finished.outcome:
        case Outcome.SUCCEEDED | Outcome.UNCHANGED:
            return
        case Outcome.SKIPPED | Outcome.CANCELLED:
            said = _attribute(finished.message or str(finished.outcome))
            ET.SubElement(case, "skipped", {"message": said})
        case Outcome.FAILED:
            _diagnosis(case, "failure", finished)
        case _:
            _diagnosis(case, "error", finished)


def _diagnosis(case: ET.Element, tag: str, finished: StepFinished) -> None:
    failure = finished.failure
    said = failure.verdict if failure else finished.message or str(finished.outcome)
    element = ET.SubElement(case, tag, {"message": _attribute(said), "type": str(finished.outcome)})
    lines = (
        plain_text(failure_screen(failure, _WIDTH, None, ASCII)).strip("\n") if failure else said
    )
    element.text = _xml(lines)


def _log(entry: LogLine) -> str:
    return f"{clean(entry.pod)}/{clean(entry.container)}: {clean(entry.line)}"


def _attribute(text: str) -> str:
    return _xml(clean(text))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
