"""Reports of tests in a check, as people's tools write them, and as nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model import cases
from envctl.model.cases import Case

PYTEST = """\
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1"
 tests="4" time="0.07" timestamp="2026-01-01T00:00:00" hostname="runner">
<properties><property name="p95_ms" value="104.5"/><property name="commit" value="c0ffee"/>
<property name="loss" value="NaN"/><property name="most" value="inf"/>
</properties>
<testcase classname="tests.e2e.test_cart" name="test_empty" time="0.001"><properties>
<property name="items" value="3" /></properties></testcase>
<testcase classname="tests.e2e.test_cart" name="test_sum[2-3]" time="0.5">
<failure message="AssertionError: assert 6 == 5&#10; +  where 6">def test_sum():
&gt;   assert 6 == 5
E   assert 6 == 5</failure></testcase>
<testcase classname="tests.e2e.test_cart" name="test_pay" time="0.0">
<skipped type="pytest.skip" message="no card">skipped</skipped></testcase>
<testcase classname="tests.e2e.test_cart" name="test_ship" time="0.0">
<error message="">fixture 'truck' not found</error></testcase>
</testsuite></testsuites>
"""


def test_what_pytest_writes() -> None:
    found = cases.read(PYTEST)
    assert found.total == 4
    assert found.metrics == (("p95_ms", 104.5), ("items", 3.0))
    assert [(case.name, case.outcome) for case in found.cases] == [
        ("test_sum[2-3]", "failed"), ("test_ship", "error"),
        ("test_empty", "passed"), ("test_pay", "skipped"),
    ]  # fmt: skip
    failed, error = found.bad
    assert failed.title == "tests.e2e.test_cart::test_sum[2-3]"
    assert failed.message == "AssertionError: assert 6 == 5"
    assert failed.text.splitlines()[-1] == "E   assert 6 == 5"
    assert failed.seconds == 0.5
    assert error.message == "fixture 'truck' not found", "its first line, where it has no message"


def test_a_single_suite_and_suites_in_suites() -> None:
    one = '<testsuite><testcase name="a"/></testsuite>'
    assert cases.read(one).cases == (Case("", "a"),)
    assert cases.read(f"<testsuites><testsuite>{one}</testsuite></testsuites>").total == 1
    assert cases.read("<testsuites/>").cases == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "no XML"), ("<testsuites>", "no XML"), ("ok", "no XML"), ("<html></html>", "<html>")],
)
def test_what_is_no_report(text: str, why: str) -> None:
    with pytest.raises(cases.NoReport, match=why):
        cases.read(text)


def test_entities_that_multiply_are_refused() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE x [<!ENTITY e0 "{"x" * 100}">{levels}]><testsuite name="&e11;"/>'
    with pytest.raises(cases.NoReport):
        cases.read(text)


def test_the_bad_ones_are_kept_of_very_many() -> None:
    many = "".join(f'<testcase name="t{n}"/>' for n in range(3000))
    last = '<testcase name="last"><failure message="no"/></testcase>'
    found = cases.read(f"<testsuite>{many}{last}</testsuite>")
    assert (found.total, len(found.cases)) == (3001, cases.MOST)
    assert found.cases[0].name == "last"


@given(st.text(alphabet='<>/="& testcaseufilrpony&#0123456789', max_size=200))
def test_anything_is_a_report_or_is_none(text: str) -> None:
    try:
        cases.read(f"<testsuite>{text}</testsuite>")
    except cases.NoReport:
        return
