"""Metrics pushed to a real Pushgateway, Debian's, on a free loopback port."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import urllib.request
from typing import TYPE_CHECKING

import pytest

from envctl.model.environment import EnvironmentInfo, Phase
from envctl.model.events import RequestsCounted, StepFinished, StepRetried
from envctl.model.result import DownResult
from envctl.model.step import Outcome, Step
from envctl.output.context import RunContext
from envctl.output.metrics import push
from envctl.output.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = Step("db", 60.0, component="db", kind="helm")


@pytest.fixture
def gateway() -> Iterator[str]:
    """The URL of a Pushgateway that keeps nothing and ends with the test."""
    program = shutil.which("prometheus-pushgateway")
    assert program, "prometheus-pushgateway is missing: apt-get install prometheus-pushgateway"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program, f"--web.listen-address={address}", "--persistence.file="]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            _listening(process)
            yield f"http://{address}"
        finally:
            process.terminate()


def _listening(process: subprocess.Popen[str]) -> None:
    """Read the gateway's log until it says that it listens; go on reading, so that it can write."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "Listening on" in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return
    pytest.fail(f"the Pushgateway ended at once: {''.join(said)}")


def metrics(gateway: str) -> list[str]:
    """The samples of envctl that a Prometheus server would scrape there."""
    with urllib.request.urlopen(f"{gateway}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return [line for line in lines if line.startswith("envctl_")]


def recorded() -> Recorder:
    recorder = Recorder()
    recorder.emit(StepRetried(STEP, 1, 1.0, "helm", "reset", 0.1))
    recorder.emit(StepFinished(STEP, 2, 8.0, Outcome.SUCCEEDED, 8.0, changed=True))
    recorder.emit(RequestsCounted(8.0, {"get": 3}))
    return recorder


def context(env: str) -> RunContext:
    return RunContext(env, "shop", "8f3a2c11", "4711", "up")


def test_a_run_arrives_and_the_next_one_takes_its_place(gateway: str) -> None:
    for _ in range(2):
        assert push(gateway, recorded(), context("fix/cart")) == ""
    group = 'env="fix/cart",instance="",job="envctl"'
    found = metrics(gateway)
    assert f'envctl_api_requests_total{{{group},project="shop",verb="get"}} 3' in found
    assert (
        f'envctl_step_duration_seconds{{{group},outcome="succeeded",project="shop",step="db"}} 8'
        in found
    )
    assert f'envctl_step_retries_total{{{group},policy="helm",project="shop",step="db"}} 1' in found


def test_an_environment_that_is_gone_leaves_nothing_behind(gateway: str) -> None:
    assert push(gateway, recorded(), context("fix-cart")) == ""
    assert push(gateway, recorded(), context("other")) == ""
    gone = recorded()
    info = EnvironmentInfo("shop", "fix-cart", "shop-fix-cart", Phase.DELETING)
    gone.remember(DownResult(info, "gone", (), (), 5.0))
    assert push(gateway, gone, context("fix-cart")) == ""
    found = metrics(gateway)
    assert not [line for line in found if 'env="fix-cart"' in line]
    assert [line for line in found if 'env="other"' in line]
    assert [line for line in found if 'verb="down"' in line]


def test_what_is_no_gateway_is_a_warning(gateway: str) -> None:
    assert "did not take the metrics" in push(f"{gateway}/nowhere", recorded(), context("x"))
