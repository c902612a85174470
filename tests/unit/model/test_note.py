"""The note of a merge request: whatever a change may name its things, it only says so."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envctl.model import markdown, note
from envctl.model.environment import EnvironmentInfo, Phase
from envctl.model.failure import Culprit, Failure
from envctl.model.note_parts import Baseline
from envctl.model.result import CheckResult, ComponentResult, DownResult, StuckObject, UpResult
from tests.unit.model.commonmark import check_harmless, hostile, tokens

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
INFO = EnvironmentInfo(
    "shop", "mr-12-fix", "shop-mr-12-fix", Phase.READY, "https://fix.shop.example/",
    expires_at="2026-01-01T15:00:00Z", commit="8f3a2c118f3a", pipeline="4711",
)  # fmt: skip
CONTEXT = note.NoteContext(NOW, job_url="https://git.example/shop/-/jobs/1")
DB = ComponentResult("db", "helm", "succeeded", changed=True, seconds=12.0)
SMOKE = CheckResult("smoke", "passed", 3.0, (("p95", 120.0),))
GOOD = UpResult(INFO, "succeeded", (DB,), (SMOKE,), None, 20, 15.0)
some = st.lists(hostile, max_size=3).map(tuple)
seconds = st.floats(0, 1e6)
culprits = st.builds(Culprit, hostile, hostile, hostile, hostile, hostile, some, some, hostile)
failures = st.builds(Failure, hostile, st.lists(culprits, max_size=2).map(tuple), hostile)
infos = st.builds(
    EnvironmentInfo, hostile, hostile, hostile, st.just(Phase.READY), hostile,
    expires_at=hostile, commit=hostile, pipeline=hostile,
)  # fmt: skip
metrics = st.lists(st.tuples(hostile, st.floats()), max_size=2).map(tuple)
checks = st.builds(CheckResult, hostile, hostile, seconds, metrics)
components = st.builds(ComponentResult, hostile, hostile, hostile, st.booleans(), seconds)
ups = st.builds(
    UpResult, infos, hostile, st.lists(components, max_size=2).map(tuple),
    st.lists(checks, max_size=2).map(tuple), st.none() | failures, st.just(1), seconds,
)  # fmt: skip
stuck = st.builds(StuckObject, hostile, some, hostile, hostile)
downs = st.builds(DownResult, infos, hostile, some, st.lists(stuck, max_size=2).map(tuple), seconds)
contexts = st.builds(
    note.NoteContext, st.just(NOW), hostile, hostile, hostile, hostile,
    st.dictionaries(hostile, st.just(Baseline(1.0, {"p95": 2.0})), max_size=2), hostile,
)  # fmt: skip
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def links(body: str) -> list[str]:
    return [str(token.attrs["href"]) for token in tokens(body) if token.type == "link_open"]


def check(body: str, info: EnvironmentInfo, context: note.NoteContext) -> None:
    first = body.partition("\n")[0]
    assert first == note.marker(info.project, info.name)
    assert len(body) <= note.MAX_NOTE
    ours = [href for url in (info.url, context.job_url) for href in links(markdown.link("x", url))]
    check_harmless(body, tuple(ours))


@relaxed
@given(ups, contexts)
def test_after_up_it_only_says_things(result: UpResult, context: note.NoteContext) -> None:
    check(note.after_up(result, context), result.environment, context)


@relaxed
@given(downs, contexts)
def test_after_down_it_only_says_things(result: DownResult, context: note.NoteContext) -> None:
    check(note.after_down(result, context), result.environment, context)


@relaxed
@given(infos, contexts)
def test_while_it_works_it_only_says_things(
    info: EnvironmentInfo, context: note.NoteContext
) -> None:
    check(note.working(info, context), info, context)
    check(note.expiring(info, NOW, context), info, context)


def test_a_good_run() -> None:
    body = note.after_up(
        GOOD, replace(CONTEXT, baseline={"smoke": Baseline(2.0, {"p95": 100.0})},
                      baseline_name="main"),
    )  # fmt: skip
    assert body.startswith("<!-- envctl:shop/mr-12-fix -->\n")
    assert "Ready" in body
    assert "| `p95` | 120 | 100 | +20 % |" in body
    assert "+50 %" in body
    assert "2026-01-01T15:00:00Z" in body
    assert "envctl extend --project shop --name mr-12-fix" in body
    assert "envctl keep" in body
    assert "envctl down" in body
    assert links(body) == ["https://fix.shop.example/", "https://git.example/shop/-/jobs/1"]
    check_harmless(body, (INFO.url, CONTEXT.job_url))


def test_without_a_baseline_nothing_is_compared() -> None:
    body = note.after_up(GOOD, CONTEXT)
    assert "120" in body
    assert "change |" not in body


@pytest.mark.parametrize(
    ("result", "said"),
    [("unchanged", "Ready"), ("timed-out", "timeout"), ("failed", "Failed")],
)
def test_every_end_of_a_run_has_its_headline(result: str, said: str) -> None:
    assert said in note.after_up(replace(GOOD, result=result), CONTEXT).split("\n")[2]


def test_a_check_that_failed_is_not_a_deployment_that_failed() -> None:
    failed = replace(GOOD, result="failed", checks=(replace(SMOKE, result="failed"),))
    assert "check failed" in note.after_up(failed, CONTEXT).split("\n")[2]


@pytest.mark.parametrize(
    ("result", "said"), [("gone", "Gone"), ("absent", "Gone"), ("stuck", "Stuck")]
)
def test_every_end_of_a_teardown_has_its_headline(result: str, said: str) -> None:
    held = StuckObject("PersistentVolumeClaim/data", ("example.com/hold",), "operator", "Start it.")
    body = note.after_down(DownResult(INFO, result, (), (held,), 3.0), CONTEXT)
    assert said in body.split("\n")[2]
    assert "`example.com/hold`" in body
    assert INFO.url not in links(body)


def failing(lines: int, culprits: int, width: int = 80) -> Any:
    log = tuple(f"line {number} " + "x" * width for number in range(lines))
    blamed = tuple(
        Culprit(f"Deployment/api-{n}", "api", "CrashLoopBackOff", "exit code 1", "api", logs=log,
                events=("BackOff: restarting",), next="Read the log.")
        for n in range(culprits)
    )  # fmt: skip
    verdict = Failure("Deployment/api cannot start.", blamed, "Look at the log.", dependants=2)
    return replace(GOOD, result="failed", failure=verdict)


def test_a_failure_is_its_diagnosis_with_the_lines_folded() -> None:
    body = note.after_up(failing(5, 1), CONTEXT)
    for said in ("`Deployment/api` cannot start", "CrashLoopBackOff", "Read the log.", "line 4",
                 "Look at the log.", "2 components only waiting"):  # fmt: skip
        assert said in body, said
    assert body.count("<details>") == body.count("</details>") == 2
    assert body.index("<details>") < body.index("line 0") < body.index("</details>")
    check_harmless(body, (INFO.url, CONTEXT.job_url))


def test_of_a_long_log_the_end_stays_and_the_whole_is_bounded() -> None:
    body = note.after_up(failing(500, 20, 400), CONTEXT)
    assert len(body) <= note.MAX_NOTE
    assert "line 499" in body
    assert "line 0 " not in body
    assert "left out" in body


def test_whatever_there_is_too_much_of_the_note_is_bounded() -> None:
    row = ComponentResult("c" * 100, "t" * 100, "s" * 100, changed=False, seconds=1.0)
    number = (("m" * 100, 1.0),) * 100
    huge = replace(
        failing(500, 200, 500), components=(row,) * 500,
        checks=(CheckResult("k" * 100, "r" * 100, 1.0, number),) * 100,
    )  # fmt: skip
    body = note.after_up(huge, CONTEXT)
    assert len(body) <= note.MAX_NOTE
    check_harmless(body, (INFO.url, CONTEXT.job_url))


def test_two_equal_runs_make_an_equal_note() -> None:
    assert note.after_up(GOOD, CONTEXT) == note.after_up(replace(GOOD, seconds=16.0), CONTEXT)
