from __future__ import annotations

import contextlib
import re
import shlex
import socket
import threading
import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from envctl.model.events import RequestsCounted, StepRetried
from envctl.model.gates import Verdict
from envctl.model.result import CheckResult
from envctl.output.metrics import openmetrics_text, push
from envctl.output.recorder import Recorder
from tests.unit.output.samples import API_STEP, CONTEXT, DB, FAILURE, run_of, up_result


@pytest.fixture
def recorder() -> Recorder:
    recorder = Recorder()
    for event in run_of(DB, API_STEP, failing=FAILURE):
        recorder.emit(event)
    recorder.emit(StepRetried(DB, 1, 1.0, "helm", "reset", 0.1))
    recorder.emit(StepRetried(DB, 2, 1.0, "helm", "reset", 0.1))
    recorder.emit(RequestsCounted(4.0, {"get": 3, "patch": 2}))
    recorder.remember(up_result())
    return recorder


def samples(text: str) -> dict[str, float]:
    """Every sample with its labels, as the reference parser reads it."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_run_as_openmetrics(recorder: Recorder) -> None:
    found = samples(openmetrics_text(recorder))
    assert found == {
        "envctl_step_duration_seconds[('outcome', 'succeeded'), ('step', 'db')]": 2.0,
        "envctl_step_duration_seconds[('outcome', 'failed'), ('step', 'api')]": 2.0,
        "envctl_step_timeout_seconds[('step', 'db')]": 60.0,
        "envctl_step_timeout_seconds[('step', 'api')]": 60.0,
        "envctl_step_retries_total[('policy', 'helm'), ('step', 'db')]": 2.0,
        "envctl_api_requests_total[('verb', 'get')]": 3.0,
        "envctl_api_requests_total[('verb', 'patch')]": 2.0,
        "envctl_check_value[('check', 'smoke'), ('metric', 'orders')]": 41.5,
        "envctl_run_duration_seconds[('outcome', 'succeeded')]": 4.0,
    }


def test_a_gate_that_was_judged_is_a_number(recorder: Recorder) -> None:
    said = {"a > 1": "passed", "a > 2": "failed", "a > baseline": "unknown"}
    gates = tuple(Verdict(text, "a", result, "") for text, result in said.items())
    check = CheckResult("smoke", "failed", 1.0, (), gates)
    recorder.remember(up_result().__class__(**{**_fields(up_result()), "checks": (check,)}))
    found = samples(openmetrics_text(recorder))
    assert {name: value for name, value in found.items() if "gate" in name} == {
        "envctl_gate_passed[('check', 'smoke'), ('gate', 'a > 1')]": 1.0,
        "envctl_gate_passed[('check', 'smoke'), ('gate', 'a > 2')]": 0.0,
    }


def test_gitlab_reads_a_name_and_a_value_from_every_line(recorder: Recorder) -> None:
    """GitLab cuts a line at ``#``, splits the rest like a shell, takes the first two words."""
    evil = CheckResult("it's #1", "passed", 1.0, (('a "b"\\', 2.0),))
    recorder.remember(up_result().__class__(**{**_fields(up_result()), "checks": (evil,)}))
    lines = [re.sub("#.*", "", line) for line in openmetrics_text(recorder).splitlines()]
    read = dict(shlex.split(line) for line in lines if line.strip())
    assert len(read) == 9
    assert read["envctl_check_value{check=it_s _1,metric=a _b__}"] == "2.0"


def _fields(result: object) -> dict[str, object]:
    return {name: getattr(result, name) for name in result.__slots__}  # type: ignore[attr-defined]


def test_without_counts_by_verb_there_is_their_sum() -> None:
    recorder = Recorder()
    recorder.remember(up_result())
    assert samples(openmetrics_text(recorder))["envctl_api_requests_total[('verb', 'all')]"] == 137


def test_a_gateway_that_is_not_there_is_a_warning(recorder: Recorder) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        said = push(f"http://user:secret@127.0.0.1:{port}", recorder, CONTEXT)
    assert said.startswith(f"The Pushgateway at http://127.0.0.1:{port} did not take the metrics")
    assert "secret" not in said


def test_a_gateway_that_never_answers_does_not_hold_up_the_run(recorder: Recorder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        begin = time.monotonic()
        said = push(f"127.0.0.1:{server.getsockname()[1]}", recorder, CONTEXT, timeout=0.2)
        assert time.monotonic() - begin < 5
    assert "did not take the metrics" in said


def test_a_gateway_that_answers_a_byte_at_a_time_does_not_either(recorder: Recorder) -> None:
    """Each byte is in time for the socket, so that only the bound on the whole push ends it."""
    ended = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            while not ended.wait(0.05):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        begin = time.monotonic()
        said = push(f"127.0.0.1:{server.getsockname()[1]}", recorder, CONTEXT, timeout=0.3)
        taken = time.monotonic() - begin
        ended.set()
    assert "no answer within 0.3 s" in said
    assert taken < 5
