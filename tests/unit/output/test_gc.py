from __future__ import annotations

import io
from datetime import UTC, datetime

from envctl.model.environment import EnvironmentInfo, Phase
from envctl.model.gcresult import Entry, GcResult, Outcome
from envctl.model.result import LifetimeResult, StuckObject
from envctl.output.document import to_logfmt
from envctl.output.gc import gc_lines
from envctl.output.lifetime import lifetime_lines
from envctl.output.metrics import openmetrics_text
from envctl.output.paint import paint_all
from envctl.output.recorder import Recorder
from envctl.output.symbols import symbols_for
from envctl.output.tables import environment_lines
from tests.unit.output.samples import CONTEXT

SYMBOLS = symbols_for(io.StringIO(), {})
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HELD = StuckObject("ConfigMap/thing", ("example.org/held",), "nobody", "Remove it by hand.")


def entry(name: str, why: str) -> Entry:
    return Entry("shop", name, f"shop-{name}", why)


RESULT = GcResult(
    (
        Outcome(entry("old", "its life ended"), "deleted"),
        Outcome(entry("held", "a finalizer holds it"), "stuck", (HELD,)),
        Outcome(entry("young", "it lives on"), "kept"),
    ),
    (), "", dry_run=False, seen=3, limit=5, warned=1, seconds=2.0,
)  # fmt: skip


def shown(result: GcResult, width: int | None = None) -> str:
    return paint_all(gc_lines(result, SYMBOLS, width), colour=False)


def test_the_table_names_each_with_its_reason_and_what_holds_the_stuck() -> None:
    text = shown(RESULT)
    assert "shop/old" in text
    assert "its life ended" in text
    assert "held by example.org/held" in text
    assert "Remove it by hand." in text
    last = text.splitlines()[-1]
    assert "1 deleted, 1 kept, 1 stuck of 3 environments, 1 merge request warned" in last


def test_a_dry_run_says_what_would_go() -> None:
    would = (entry("old", "its life ended"),)
    text = shown(GcResult((), would, "", dry_run=True, seen=1, limit=5, warned=0, seconds=1.0))
    assert "would delete" in text
    assert "1 would be deleted of 1 environment" in text


def test_nothing() -> None:
    text = shown(GcResult((), (), "", dry_run=False, seen=0, limit=5, warned=0, seconds=1.0))
    assert "nothing was to be done of 0 environments" in text


def test_logfmt_has_a_line_for_each() -> None:
    lines = to_logfmt(CONTEXT, RESULT.as_json(), 1.0)
    assert any("msg=deleted" in line and "name=old" in line for line in lines)
    assert any("msg=stuck" in line and "ConfigMap/thing" in line for line in lines)


def test_metrics_count_by_verdict() -> None:
    recorder = Recorder()
    recorder.remember(RESULT)
    text = openmetrics_text(recorder)
    for word, number in (("deleted", 1), ("kept", 1), ("stuck", 1), ("unknown", 0), ("refused", 0)):
        assert f'envctl_gc_environments{{verdict="{word}"}} {number}.0' in text
    assert 'envctl_run_duration_seconds{outcome="stuck"}' in text


def info(**more: str) -> EnvironmentInfo:
    return EnvironmentInfo("shop", "a", "shop-a", Phase.READY, **more)


def test_how_long_it_lives_and_who_keeps_it() -> None:
    def said(**more: str) -> str:
        lines = lifetime_lines(LifetimeResult(info(**more), "kept"), SYMBOLS, NOW)
        return paint_all(lines, colour=False)

    assert "lives until 2026-11-25T12:00:00Z (1d0h)" in said(expires_at="2026-11-25T12:00:00Z")
    assert "kept by ann, without end" in said(kept_by="ann")
    assert "nothing ends its life" in said()


def test_the_list_shows_who_is_kept() -> None:
    def left(**more: str) -> str:
        return paint_all(environment_lines([info(**more)], NOW, None), colour=False)

    until = "2026-11-25T12:00:00Z"
    assert "kept" in left(kept_by="ann")
    assert "1d0h, kept" in left(kept_by="ann", kept_until=until, expires_at=until)
    assert "kept" not in left(expires_at=until)
