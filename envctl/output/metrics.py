"""A run as metrics: OpenMetrics text for an artifact, or pushed to a Pushgateway.

Samples are made from what was recorded, without the library's counters: those add a ``_created``
sample with a time to each, and GitLab's metrics report would show every one of them as changed.
"""

from __future__ import annotations

import re
import threading
import urllib.parse
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, delete_from_gateway, push_to_gateway
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import basic_auth_handler, default_handler
from prometheus_client.openmetrics.exposition import generate_latest

from envctl.output.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envctl.output.context import RunContext
    from envctl.output.recorder import Recorder

JOB = "envctl"
#: Seconds that a push may take in all; a slow gateway never holds up a pipeline for longer.
PUSH_TIMEOUT = 10.0
_MAX_LABEL = 200


class RunMetrics:
    """The metrics of one recorded run, as the library collects them."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def collect(self) -> Iterator[Metric]:
        """All metric families of the run, those without samples too."""
        yield self._durations()
        yield self._timeouts()
        yield self._retries()
        yield self._requests()
        yield self._checks()
        yield self._gates()
        yield self._environments()
        run = GaugeMetricFamily(
            "envctl_run_duration_seconds", "How long the run took.", labels=["outcome"]
        )
        run.add_metric([self._recorder.outcome], self._recorder.elapsed)
        yield run

    def _durations(self) -> Metric:
        family = GaugeMetricFamily(
            "envctl_step_duration_seconds", "How long a step took.", labels=["step", "outcome"]
        )
        for name, event in self._recorder.finished.items():
            family.add_metric([_label(name), str(event.outcome)], event.seconds)
        return family

    def _timeouts(self) -> Metric:
        family = GaugeMetricFamily(
            "envctl_step_timeout_seconds", "How long a step may take.", labels=["step"]
        )
        for name, step in self._recorder.steps.items():
            family.add_metric([_label(name)], step.timeout)
        return family

    def _retries(self) -> Metric:
        family = CounterMetricFamily(
            "envctl_step_retries", "What was tried again, by policy.", labels=["step", "policy"]
        )
        for (name, policy), number in self._recorder.retries.items():
            family.add_metric([_label(name), _label(policy)], number)
        return family

    def _requests(self) -> Metric:
        family = CounterMetricFamily(
            "envctl_api_requests", "Requests to the Kubernetes API, by verb.", labels=["verb"]
        )
        for verb, number in self._recorder.requests_by_verb.items():
            family.add_metric([_label(verb)], number)
        return family

    def _checks(self) -> Metric:
        family = GaugeMetricFamily(
            "envctl_check_value", "What a check measured.", labels=["check", "metric"]
        )
        for check in self._recorder.checks:
            for name, value in check.metrics:
                family.add_metric([_label(check.name), _label(name)], value)
        return family

    def _gates(self) -> Metric:
        family = GaugeMetricFamily(
            "envctl_gate_passed", "Whether a check's gate passed.", labels=["check", "gate"]
        )
        for check in self._recorder.checks:
            for gate in check.gates:
                if gate.result != "unknown":
                    family.add_metric(
                        [_label(check.name), _label(gate.gate)], float(gate.result == "passed")
                    )
        return family

    def _environments(self) -> Metric:
        family = GaugeMetricFamily(
            "envctl_gc_environments", "What gc decided, and how it went.", labels=["verdict"]
        )
        for word, number in self._recorder.collected.items():
            family.add_metric([_label(word)], number)
        return family


def _label(value: str) -> str:
    """A label's value that GitLab reads too: it cuts a line at ``#``, and splits it as a shell."""
    return re.sub(r"""[#"'\\]""", "_", clean(value, limit=_MAX_LABEL))


def _registry(recorder: Recorder) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(RunMetrics(recorder))
    return registry


def openmetrics_text(recorder: Recorder) -> str:
    """The run as OpenMetrics text, which GitLab's metrics report reads too."""
    text: bytes = generate_latest(_registry(recorder))  # type: ignore[no-untyped-call]
    return text.decode()


def push(url: str, recorder: Recorder, context: RunContext, timeout: float = PUSH_TIMEOUT) -> str:
    """Send the run to a Pushgateway; ends within ``timeout`` seconds and never raises.

    An environment is a group of its own there, which a run that found it gone takes away: a gateway
    forgets nothing by itself. Returns what went wrong in one sentence, or nothing.
    """
    outcome: list[str] = []
    work = partial(_push, url, recorder, context, timeout)
    thread = threading.Thread(target=lambda: outcome.append(_guarded(work)), daemon=True)
    thread.start()
    thread.join(timeout)
    said = outcome[0] if outcome else f"no answer within {timeout:g} s"
    return f"The Pushgateway at {_bare(url)} did not take the metrics: {said}." if said else ""


def _guarded(work: Callable[[], None]) -> str:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - metrics are never worth a failed run
        return clean(str(error) or type(error).__name__, limit=200).rstrip(".")
    return ""


def _push(url: str, recorder: Recorder, context: RunContext, timeout: float) -> None:
    registry = _registry(recorder)
    options: dict[str, Any] = {"timeout": timeout, "handler": _handler(url)}
    group = {"project": context.project or "none", "env": context.env or "none"}
    if recorder.outcome in {"gone", "absent"}:
        delete_from_gateway(_bare(url), JOB, grouping_key=group, **options)
        group = {"project": group["project"], "verb": "down"}
    push_to_gateway(_bare(url), JOB, registry, grouping_key=group, **options)


def _bare(url: str) -> str:
    """The URL without user and password: those go into a header, and into no message."""
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _handler(url: str) -> Callable[..., Callable[[], None]]:
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    if parts.username is None:
        return default_handler
    user = urllib.parse.unquote(parts.username)
    password = urllib.parse.unquote(parts.password or "")

    return partial(basic_auth_handler, username=user, password=password)
