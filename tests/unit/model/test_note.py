from __future__ import annotations

import dataclasses
import datetime as dt
from urllib.parse import urlsplit

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from envctl.model import note
from envctl.model.environment import EnvironmentInfo
from envctl.model.failure import Culprit, Failure
from envctl.model.gates import Verdict
from envctl.model.note import MAX_NOTE, Baseline, NoteContext
from envctl.model.result import CheckResult, ComponentResult, DownResult, StuckObject, UpResult
from tests.unit.model.reading import STRINGS, harm, links, tokens
from tests.unit.output.samples import FAILURE, INFO, up_result

NOW = dt.datetime(2026, 11, 25, 6, tzinfo=dt.UTC)
JOB = "https://gitlab.example/shop/-/jobs/1"
CONTEXT = NoteContext(
    NOW,
    job_url=JOB,
    commit="8f3a2c11",
    pipeline="4711",
    baseline={"smoke": Baseline(1.0, {"orders": 50.0})},
    baseline_name="main",
)
ENDING = dataclasses.replace(INFO, expires_at="2026-11-28T05:00:00Z")
TUPLES = st.lists(STRINGS, max_size=3).map(tuple)
NUMBERS = st.floats()
SECONDS = st.floats(min_value=0, max_value=1e9)
CULPRITS = st.builds(
    Culprit, STRINGS, STRINGS, STRINGS, STRINGS, STRINGS, logs=TUPLES, events=TUPLES, next=STRINGS
)
FAILURES = st.builds(Failure, STRINGS, st.lists(CULPRITS, max_size=2).map(tuple), STRINGS)
INFOS = st.builds(
    EnvironmentInfo,
    *(STRINGS, STRINGS, STRINGS, st.just(INFO.phase)),
    url=st.one_of(STRINGS, STRINGS.map("https://a.b/".__add__)),
    expires_at=st.one_of(STRINGS, st.datetimes().map(dt.datetime.isoformat)),
    commit=STRINGS,
    pipeline=STRINGS,
)
CHECKS = st.builds(
    CheckResult, STRINGS, STRINGS, SECONDS, st.lists(st.tuples(STRINGS, NUMBERS), max_size=2),
    st.lists(
        st.builds(
            Verdict, STRINGS, STRINGS, st.one_of(STRINGS, st.sampled_from(["passed", "failed"])),
            STRINGS, st.none() | NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS,
        ),
        max_size=2,
    ),
)  # fmt: skip
COMPONENTS = st.builds(ComponentResult, STRINGS, STRINGS, STRINGS, st.booleans(), SECONDS)
UPS = st.builds(
    UpResult,
    *(INFOS, st.one_of(STRINGS, st.sampled_from(["succeeded", "failed"]))),
    *(st.lists(COMPONENTS, max_size=3), st.lists(CHECKS, max_size=3)),
    *(st.none() | FAILURES, st.just(1), SECONDS),
)
STUCK = st.builds(StuckObject, STRINGS, TUPLES, STRINGS, STRINGS)
DOWNS = st.builds(DownResult, INFOS, STRINGS, TUPLES, st.lists(STUCK, max_size=3), SECONDS)
BASELINES = st.builds(Baseline, st.none() | SECONDS, st.dictionaries(STRINGS, NUMBERS, max_size=2))
CONTEXTS = st.builds(
    NoteContext,
    st.just(NOW),
    STRINGS,
    st.one_of(STRINGS, STRINGS.map("https://j.b/".__add__)),
    *(STRINGS, STRINGS, st.dictionaries(STRINGS, BASELINES, max_size=2), STRINGS),
)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def check(shown: str, info: EnvironmentInfo, context: NoteContext) -> None:
    assert harm(shown) == []
    assert shown.startswith(note.marker(info.project, info.name) + "\n")
    # Elsewhere, in code, it is a text like any other.
    assert (
        sum("<!--" in token.content for token in tokens(shown) if token.type.startswith("html"))
        == 1
    )
    assert len(shown) <= MAX_NOTE
    assert sum(token.type == "heading_open" for token in tokens(shown)) == 1
    # The environment's address and the job's are links, and nothing that they or others say is.
    ours = {_host(info.url), _host(context.job_url)}
    assert {_host(href) for href in links(shown)} <= ours
    assert len(links(shown)) <= 2


@given(UPS, CONTEXTS)
@settings(max_examples=40, deadline=None, phases=[Phase.generate, Phase.shrink])
def test_the_note_after_up_is_harmless_whatever_stands_in_it(
    result: UpResult, context: NoteContext
) -> None:
    shown = note.after_up(result, context)
    check(shown, result.environment, context)
    gates = sum(len(one.gates) for one in result.checks)
    assert sum(t.type == "tr_open" for t in tokens(shown)) == (
        len(result.components) + bool(result.components) + bool(result.checks)
    ) + sum(1 + len(one.metrics) for one in result.checks) + gates + bool(gates)


@given(DOWNS, INFOS, CONTEXTS)
def test_the_other_notes_are_harmless_too(
    result: DownResult, info: EnvironmentInfo, context: NoteContext
) -> None:
    check(note.after_down(result, context), result.environment, context)
    check(note.working(info, context), info, context)
    check(note.interrupted(info, context), info, context)


@pytest.mark.parametrize("text", ["|" * 3000, "`" * 3000, "@a " * 1000, "a|`" * 1000, "ü" * 3000])
@pytest.mark.parametrize("number", [3, 300])
def test_a_note_fits_whatever_goes_in_and_says_what_was_left_out(text: str, number: int) -> None:
    info = EnvironmentInfo(text, text, text, INFO.phase, text, commit=text, pipeline=text)
    culprit = Culprit(text, text, text, text, text, (text,) * number, (text,) * number, text + "x")
    context = NoteContext(NOW, text, text, text, text, {text: Baseline(1.0)}, text)
    up = UpResult(
        info,
        text,
        (ComponentResult(text, text, text, True, 1.0),) * number,
        (CheckResult(text, text, 1.0, ((text, 1.0),)),) * number,
        Failure(text, (culprit,) * number, text, 3),
        1,
        1.0,
    )
    stuck = StuckObject(text, (text,) * number, text, text)
    down = DownResult(info, text, (text,) * number, (stuck,) * number, 1.0)
    for shown in (note.after_up(up, context), note.after_down(down, context)):
        assert len(shown) <= MAX_NOTE
        assert "left out" in shown or number == 3
        assert shown.count("<details>") == shown.count("</details>")


def test_gates_are_a_table_of_their_own() -> None:
    refused = Verdict("p95 <= baseline", "p95", "failed", "p95 is over", 120.0, 100.0, 100.0)
    passed = Verdict("accuracy > 0.9", "accuracy", "passed", "accuracy is 0.95", 0.95, 0.9)
    unknown = Verdict("f1 > baseline", "f1", "unknown", "no baseline of f1 yet", 0.5)
    checks = (CheckResult("quality", "failed", 1.0, (), (refused, passed, unknown)),)
    shown = note.after_up(dataclasses.replace(up_result(), checks=checks), CONTEXT)
    rows = [line for line in shown.splitlines() if line.startswith("| `quality`")]
    assert rows[1:] == [
        "| `quality` | `p95 <= baseline` | ❌ failed | 120 | 100 | +20 % | `p95` is over |",
        "| `quality` | `accuracy > 0.9` | ✅ passed | 0.95 |  |  |  |",
        "| `quality` | `f1 > baseline` | ❔ unknown | 0.5 |  |  | no baseline of `f1` yet |",
    ]


def test_logs_are_cut_first_and_from_their_beginning() -> None:
    logs = tuple(f"{number} {'z' * 400}" for number in range(1000))
    failure = Failure("It fails.", (Culprit("Pod/a", "a", "no", "", logs=logs),) * 3)
    components = (ComponentResult("db", "helm", "failed", False, 1.0),) * 150
    result = dataclasses.replace(up_result("failed", failure), components=components)
    shown = note.after_up(result, CONTEXT)
    assert shown.count("| `db` |") == 150
    assert "The log: 30 lines, 970 before them left out" in shown
    assert "\n999 z" in shown
    assert "\n0 z" not in shown


def test_a_deployed_change_shows_where_what_and_how_much() -> None:
    shown = note.after_up(dataclasses.replace(up_result(), environment=ENDING), CONTEXT)
    for part in (
        "<!-- envctl:shop/fix-cart -->\n\n### ✅ Ready — `fix-cart`\n",
        "**[`http://fix-cart.localhost:8080/`](http://fix-cart.localhost:8080/)**",
        f"commit `8f3a2c11` · pipeline `4711` · [job]({JOB})",
        "| `db` | `helm` | ✅ succeeded | yes | 8.1 s |",
        "| check | result | number | here | `main` | change |",
        "| `smoke` | ✅ passed | time | 1.5 s | 1.0 s | +50 % |",
        "| `smoke` |  | `orders` | 41.5 | 50 | −17 % |",  # noqa: RUF001
        "Ends in 2 d 23 h, at `2026-11-28T05:00:00Z`.",
        "`envctl extend --project shop --name fix-cart`",
        "`envctl keep --project shop --name fix-cart`",
        "`envctl down --project shop --name fix-cart`",
        "manual jobs of this pipeline",
    ):
        assert part in shown


def test_without_a_baseline_nothing_is_compared() -> None:
    shown = note.after_up(up_result(), NoteContext(NOW))
    assert "| check | result | number | here |\n" in shown
    assert "manual jobs" not in shown
    assert "Ends" not in shown


def test_a_failure_is_its_diagnosis() -> None:
    shown = note.after_up(up_result("failed", FAILURE), CONTEXT)
    for part in (
        "### ❌ Failed",
        "**`Deployment/api` cannot start: its program ends with code 1.**",
        "- `Deployment/api`, container `api`: container api ends with code 1: started 3 times",
        "<details><summary>The log: 30 lines</summary>\n\n```text\nline 0 of the log\n",
        "<details><summary>The events: 1 line</summary>\n\n```text\nBackOff: restarting",
        "2 components only waiting for that.",
        "Next: Look at the first lines of the log.",
    ):
        assert part in shown


@pytest.mark.parametrize(
    ("result", "verb", "state"),
    [
        ("succeeded", "create", "✅ Created"),
        ("succeeded", "deploy", "✅ Deployed, not checked yet"),
        ("succeeded", "test", "✅ Checked"),
        ("unchanged", "up", "✅ Ready: nothing had to change"),
        ("superseded", "up", "⏳ A newer pipeline took over"),
        ("timed-out", "up", "❌ A timeout passed"),
        ("strange", "up", "⚠️ `strange`"),
    ],
)
def test_the_headline_says_how_it_stands(result: str, verb: str, state: str) -> None:
    context = dataclasses.replace(CONTEXT, verb=verb)
    assert f"### {state}" in note.after_up(up_result(result), context)
