"""What checks measure, what gates demand of it, and what is kept of it on a Lease."""

from __future__ import annotations

import math

from envctl.model import cases, gates, measured, measures, readings, sampling
from tests.fuzz.reader import Reader

_HERE = {"a": (1.0, 2.0, 2.5, 3.0, 7.0), "b": (0.0,)}
_RUN = (
    b'{"q":[{"metrics":{"a":1},"seconds":1,"definition":1,"commit":"c","at":"t",'
    b'"samples":{"a":[1,2]}}]}'
)
_FORMATS = tuple(form for form in readings.FORMATS if form != readings.TERMINATION)


def metrics(data: bytes) -> None:
    """Numbers in a termination message, and in an output of each format."""
    text = data.decode("utf-8", "replace")
    found = [measures.parse(text), *(readings.read(f, text.splitlines()).metrics for f in _FORMATS)]
    for name, value in (item for metrics_of in found for item in metrics_of):
        assert len(name) <= 120
        assert math.isfinite(value)
    for form in _FORMATS:
        assert len(readings.read(form, text.splitlines()).complaints()) <= readings.NAMED + 2


def demands(data: bytes) -> None:
    """A gate is refused in words, or has a verdict; it does nothing else."""
    try:
        gate = gates.parse(data.decode("utf-8", "replace"))
    except gates.NoGate:
        return
    for before in (None, _HERE):
        verdict = sampling.judge(gate, _HERE, before, {"c": _HERE})
        assert verdict.result in ("passed", "failed", "unknown")
        assert verdict.why


def baselines(data: bytes) -> None:
    """What stands on a Lease is a baseline or none, and one more run always finds room."""
    value = Reader(data).json()
    for text in (data.decode("utf-8", "replace"), str(value)):
        notes = {measured.ANNOTATION: text}
        for run in (run for runs in measured.load(notes).values() for run in runs):
            assert all(math.isfinite(value) for _, value in run.metrics)
            assert all(math.isfinite(value) for _, values in run.samples for value in values)
        notes[measured.ANNOTATION] = measured.added(notes, "q", measured.Measured((("a", 1.0),)))
        assert len(notes[measured.ANNOTATION]) <= measured.ROOM
        assert measured.load(notes)["q"][-1].metrics == (("a", 1.0),)


def reports(data: bytes) -> None:
    """What a check leaves as JUnit XML is a report, bounded, or is none."""
    try:
        found = cases.read(data.decode("utf-8", "replace"))
    except cases.NoReport:
        return
    assert len(found.cases) <= min(found.total, cases.MOST)
    assert all(math.isfinite(value) for _, value in found.metrics)


_REPORT = (
    b'<testsuites><testsuite><properties><property name="a" value="1e3"/></properties>'
    b'<testcase classname="c" name="n" time="0.1"><failure message="m">t</failure></testcase>'
    b"</testsuite></testsuites>"
)
TARGETS = {
    "test reports": (reports, (_REPORT, b"<testsuite/>", b"<a>")),
    "metrics": (
        metrics,
        (b"orders=41.5 p95=3e2\nx=1", b"a=1e999 b=.. c=1.2.3", b'{"a": {"b": 1}}', b'f{x="y"} 1'),
    ),
    "gates": (
        demands,
        (
            b"a >= 0.9",
            b"a <= baseline * 1.1",
            b"max(a, -b) < c.a / 2",
            b'metric("a") != baseline.b',
        ),
    ),
    "baselines": (
        baselines,
        (
            b"",
            b'{"q":[{"metrics":{"a":1},"seconds":1,"definition":1,"commit":"c","at":"t"}]}',
            _RUN,
        ),
    ),
}
