from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from envctl.errors import ConfigError, EnvctlError
from envctl.output.context import RunContext
from envctl.output.options import Mode, OutputOptions, Style, progress_style
from envctl.output.sink import open_output
from tests.unit.output.samples import (
    API_STEP,
    CONTEXT,
    DB,
    FAILURE,
    INFO,
    Tty,
    down_result,
    run_of,
    up_result,
)

if TYPE_CHECKING:
    from pathlib import Path

    from envctl.model.events import Event

ENV = {"TERM": "xterm", "COLUMNS": "80", "LINES": "50", "NO_COLOR": "1"}


def show(
    options: OutputOptions, stdout: io.StringIO, stderr: io.StringIO, *, failing: bool = False
) -> None:
    events: list[Event] = run_of(DB, API_STEP, failing=FAILURE if failing else None)
    result = up_result("failed", FAILURE) if failing else up_result()
    with open_output(options, CONTEXT, stdout=stdout, stderr=stderr, environ=ENV) as out:
        for event in events:
            out(event)
        out.result(result)
        if failing:
            out.error(EnvctlError(FAILURE.verdict, failure=FAILURE))


@pytest.mark.parametrize("failing", [False, True])
def test_json_is_exactly_one_document(failing: bool) -> None:
    stdout, stderr = Tty(), Tty()
    show(OutputOptions(Mode.JSON), stdout, stderr, failing=failing)
    assert (
        json.loads(stdout.getvalue())
        == up_result(*(("failed", FAILURE) if failing else ())).as_json()
    )
    assert all(line.startswith("ts=") for line in stderr.getvalue().splitlines())


def test_a_diagnosis_is_shown_once_though_only_the_result_counts_who_waits_for_it() -> None:
    stdout, stderr = Tty(), Tty()
    with open_output(OutputOptions(), CONTEXT, stdout=stdout, stderr=stderr, environ=ENV) as out:
        out.result(up_result("failed", replace(FAILURE, dependants=3)))
        out.error(EnvctlError(FAILURE.verdict, failure=replace(FAILURE, dependants=0)))
    assert stderr.getvalue().count(FAILURE.next) == 1


def test_json_of_a_run_that_came_to_no_result_is_its_error() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    options = OutputOptions(Mode.JSON)
    with open_output(options, stdout=stdout, stderr=stderr, environ={}) as out:
        out.error(ConfigError("No file.", next="Write one."))
    assert json.loads(stdout.getvalue())["error"]["exitCode"] == 2
    assert "level=error" in stderr.getvalue()


def test_without_a_terminal_it_is_logfmt_and_stdout_has_the_result_alone() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    show(OutputOptions(), stdout, stderr)
    assert [line.split(" ")[2] for line in stdout.getvalue().splitlines()] == [
        "msg=result",
        "msg=components",
        "msg=checks",
    ]
    assert stderr.getvalue().count("msg=finished") == 2


def test_on_a_terminal_the_tree_stays_and_the_result_follows() -> None:
    both = Tty()
    show(OutputOptions(), both, both)
    text = both.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert text.rindex("✔ api") < text.index("✔ shop/fix-cart is ready")
    assert text.rindex("\x1b[?25h") < text.index("✔ shop/fix-cart is ready")
    assert "ts=" not in text


def test_a_failure_is_explained_once() -> None:
    for stderr in (Tty(), io.StringIO()):
        show(OutputOptions(), io.StringIO(), stderr, failing=True)
        assert stderr.getvalue().count("line 29 of the log") == 1


def test_the_cursor_comes_back_when_the_run_breaks() -> None:
    stderr = Tty()
    with pytest.raises(RuntimeError):
        _broken_run(OutputOptions(), stderr, ENV)
    text = stderr.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_the_name_may_become_known_later() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    with open_output(OutputOptions(), RunContext(), stdout=stdout, stderr=stderr, environ={}) as o:
        o.identify(CONTEXT)
        o(run_of(DB)[1])
        o.document({"x": 1})
    assert "env=fix-cart" in stderr.getvalue()
    assert "env=fix-cart" in stdout.getvalue()


def test_lists_and_teardowns_are_results_too() -> None:
    stdout = Tty()
    options = OutputOptions(Mode.TEXT)
    with open_output(options, CONTEXT, stdout=stdout, stderr=Tty(), environ=ENV) as out:
        out.result([INFO])
        out.result(down_result("gone"))
        assert out.width == 80
    assert "fix-cart" in stdout.getvalue()
    assert "is gone" in stdout.getvalue()
    stdout = Tty()
    options = OutputOptions(Mode.JSON)
    with open_output(options, CONTEXT, stdout=stdout, stderr=Tty(), environ=ENV) as out:
        out.result([INFO])
    assert json.loads(stdout.getvalue()) == {"environments": [INFO.as_json()]}


def test_artifacts_are_written_even_when_the_run_breaks(tmp_path: Path) -> None:
    junit, metrics = tmp_path / "new" / "junit.xml", tmp_path / "metrics.txt"
    options = OutputOptions(junit=junit, metrics_file=metrics)
    with pytest.raises(RuntimeError):
        _broken_run(options, io.StringIO(), {})
    assert ET.parse(junit).getroot()[0].attrib["tests"] == "2"
    assert metrics.read_text().endswith("# EOF\n")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["junit.xml", "metrics.txt", "new"]


def _broken_run(options: OutputOptions, stderr: io.StringIO, environ: dict[str, str]) -> None:
    with open_output(options, CONTEXT, stdout=stderr, stderr=stderr, environ=environ) as out:
        for event in run_of(DB, API_STEP):
            out(event)
        raise RuntimeError


def test_a_path_that_cannot_be_written_is_refused_before_anything_happens(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "junit.xml", tmp_path):
        with pytest.raises(ConfigError, match="--junit"), open_output(OutputOptions(junit=path)):
            pass


def test_an_artifact_that_fails_at_the_end_is_a_warning(tmp_path: Path) -> None:
    stderr = io.StringIO()
    folder = tmp_path / "a"
    options = OutputOptions(junit=folder / "junit.xml", pushgateway="http://127.0.0.1:1")
    with open_output(options, CONTEXT, stdout=stderr, stderr=stderr, environ={}):
        folder.rmdir()
    assert stderr.getvalue().count("level=warning") == 2


@pytest.mark.parametrize(
    ("mode", "out", "err", "environ", "style"),
    [
        (None, True, True, {}, Style.TREE),
        (None, False, True, {}, Style.TREE),
        (None, True, False, {}, Style.LOGFMT),
        (None, False, False, {}, Style.LOGFMT),
        (None, False, False, {"GITLAB_CI": "true"}, Style.SECTIONS),
        (None, True, True, {"TERM": "dumb"}, Style.PLAIN),
        (Mode.TEXT, False, False, {}, Style.PLAIN),
        (Mode.JSON, True, True, {}, Style.LOGFMT),
        (Mode.LOGFMT, True, True, {}, Style.LOGFMT),
    ],
)
def test_the_kind_of_progress_follows_from_where_it_goes(
    mode: Mode | None, out: bool, err: bool, environ: dict[str, str], style: Style
) -> None:
    streams = {True: Tty(), False: io.StringIO()}
    assert progress_style(OutputOptions(mode), streams[out], streams[err], environ) is style


@pytest.mark.parametrize("mode", ["json", "logfmt"])
def test_rich_is_not_loaded_where_nothing_is_drawn(mode: str) -> None:
    code = (
        "import sys\n"
        "from envctl.output.options import Mode, OutputOptions\n"
        "from envctl.output.sink import open_output\n"
        f"with open_output(OutputOptions(Mode({mode!r}))) as out: out.document({{'a': 1}})\n"
        "print([m for m in ('rich', 'prometheus_client', 'xml.etree') if m in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
