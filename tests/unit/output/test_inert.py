"""What a pod has printed is no command to the runner of the job that shows it."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given

from envctl.errors import EnvctlError
from envctl.model.events import LogLine, Note
from envctl.model.failure import Culprit, Failure
from envctl.output.context import RunContext
from envctl.output.inert import inert, inert_json
from envctl.output.options import Mode, OutputOptions
from envctl.output.sink import open_output
from tests.unit.model.reading import STRINGS

#: As github.com/actions/runner parses a line: trimmed at its left, or anywhere in it.
COMMAND = re.compile(r"^\s*::[^:]|##\[", re.MULTILINE)
EVIL = (
    "::set-output name=a::b",
    "  ::add-mask::e",
    "x\n::stop-commands::t",
    "said ##[add-mask]e",
    "##[group]",
    "###[[error]",
)


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if COMMAND.search(line)]


@pytest.mark.parametrize("text", EVIL)
def test_no_command_is_left(text: str) -> None:
    assert commands(text)
    assert not commands(inert(text))


@pytest.mark.parametrize(
    "text", ["a::b", "c++ std::string", "https://a.b/#[x]", "## [a]", "", "\n"]
)
def test_what_is_no_command_stays(text: str) -> None:
    assert inert(text) == text


@given(STRINGS)
def test_whatever_is_said(text: str) -> None:
    assert not commands(inert(text))
    assert json.loads(inert_json(json.dumps(text))) == text


@pytest.mark.parametrize("mode", [Mode.TEXT, Mode.LOGFMT, Mode.JSON])
def test_nothing_that_a_run_shows_is_a_command(mode: Mode) -> None:
    out, err = io.StringIO(), io.StringIO()
    environ = {"GITHUB_ACTIONS": "true", "TERM": "dumb"}
    with open_output(
        OutputOptions(mode=mode), RunContext(), stdout=out, stderr=err, environ=environ
    ) as output:
        for evil in EVIL:
            output.emit(Note("warning", evil, 1.0))
            output.emit(LogLine(None, 1.0, "web", "web-1", "web", evil))
        culprit = Culprit("Pod/a", "web", "Error", EVIL[0], logs=EVIL, events=EVIL, next=EVIL[3])
        failure = Failure(EVIL[0], (culprit,), EVIL[1])
        output.error(EnvctlError("\n".join(EVIL), why=EVIL[1], next=EVIL[3], failure=failure))
    shown = out.getvalue() + err.getvalue()
    assert "add-mask" in shown
    assert not commands(shown)
    if mode is Mode.JSON:
        assert json.loads(out.getvalue())["failure"]["culprits"][0]["logs"] == list(EVIL)


@pytest.mark.parametrize("mode", [Mode.TEXT, Mode.LOGFMT, Mode.JSON])
def test_nothing_that_logs_shows_is_a_command(mode: Mode) -> None:
    out, environ = io.StringIO(), {"GITHUB_ACTIONS": "true", "TERM": "dumb"}
    options = OutputOptions(mode=mode)
    streams = {"stdout": out, "stderr": io.StringIO()}
    with (
        open_output(options, RunContext(), **streams, environ=environ) as output,
        output.log() as show,
    ):
        for evil in EVIL:
            show(LogLine(None, 1.0, "", "", "", evil))
    assert not commands(out.getvalue())
    if mode is Mode.JSON:
        assert [entry["line"] for entry in json.loads(out.getvalue())["lines"]] == list(EVIL)
