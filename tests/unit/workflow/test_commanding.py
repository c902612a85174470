"""Checks that are commands, in a whole run: what passes, what is told, what is measured anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import CheckFailed, ConfigError, TimedOut
from envctl.model.events import CasesRead, LogLine, Note
from envctl.model.objects import SECRET
from envctl.ports.sources import Ran, Rendered
from envctl.workflow import commanding
from tests.unit.workflow.world import Shop, config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from envctl.model.spec import Check

NS = "shop-fix"


@dataclass
class Machine:
    """Runs what the test says a command does: an exit code, lines, and numbers."""

    code: int = 0
    lines: tuple[str, ...] = ("it works",)
    numbers: tuple[str, ...] = ("",)
    report: str = ""
    late: bool = False
    made_of: str = "1"
    missing: bool = False
    told: list[dict[str, str]] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)

    def require(self, check: Check) -> None:
        if self.missing:
            raise ConfigError(f"{check.name} cannot be run.")

    async def fingerprint(self, check: Check, environment: Any) -> str:
        del check, environment
        return self.made_of

    async def render(self, check: Check, environment: Any) -> Rendered:
        del check, environment
        return Rendered(())

    async def run(
        self, check: Check, variables: Mapping[str, str], timeout: float,
        heard: Callable[[str], None],
    ) -> Ran:  # fmt: skip
        del check
        self.told.append(dict(variables))
        self.timeouts.append(timeout)
        for line in self.lines:
            heard(line)
        if self.late:
            raise TimedOut("It did not end.")
        numbers = self.numbers[(len(self.told) - 1) % len(self.numbers)]
        return Ran(self.code, numbers, self.report)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def shop(tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(tmp_path)
    world = shop.world

    def with_commands() -> Any:
        made = world()
        made.sources["command"] = machine
        return made

    monkeypatch.setattr(shop, "world", with_commands)
    return shop


def write(shop: Shop, more: str = "") -> None:
    shop.write(
        "components:\n  - {name: a, manifests: [a.yaml]}\n"
        f"checks:\n  - {{name: smoke, command: [sh, smoke.sh], timeout: 60s{more}}}\n",
        a=[config("a")],
    )


def test_it_passes_is_told_where_and_need_not_run_again(shop: Shop, machine: Machine) -> None:
    write(shop)
    machine.numbers = ("p95=3 rps=100\n",)
    result, error = shop.up()
    assert error is None
    assert result.result == "succeeded"
    (check,) = result.checks
    assert (check.result, check.metrics) == ("passed", (("p95", 3.0), ("rps", 100.0)))
    (told,) = machine.told
    assert told["ENVCTL_NAMESPACE"] == NS
    assert (told["ENVCTL_PROJECT"], told["ENVCTL_NAME"]) == ("shop", "fix")
    assert machine.timeouts[0] <= 60 - commanding.RESERVE, "it ends before its step does"
    result, error = shop.up()
    assert (result.result, result.checks[0].metrics, error) == ("unchanged", check.metrics, None)
    assert len(machine.told) == 1
    machine.made_of = "2"
    assert shop.up()[0].result == "succeeded"
    assert len(machine.told) == 2
    shop.up(stages=("test",))
    assert len(machine.told) == 3


def test_without_its_program_nothing_is_written(shop: Shop, machine: Machine) -> None:
    write(shop)
    machine.missing = True
    _, error = shop.up()
    assert isinstance(error, ConfigError)
    assert ("", "Namespace", "", NS) not in shop.cluster.state()
    assert shop.up(stages=("create", "deploy"))[1] is None, "it is not asked for its checks"
    assert machine.told == []


def test_it_fails_with_its_last_lines_and_is_run_again(shop: Shop, machine: Machine) -> None:
    write(shop)
    machine.code, machine.lines = 3, ("begin", "AssertionError: 2 is not 3")
    result, error = shop.up()
    assert isinstance(error, CheckFailed)
    assert "exit code 3" in error.what
    assert error.failure is not None
    (culprit,) = error.failure.culprits
    assert culprit.object == "Check/smoke"
    assert culprit.logs[-1] == "AssertionError: 2 is not 3"
    assert "sh smoke.sh" in error.failure.next
    assert result.checks[0].result == "failed"
    machine.code = 0
    assert shop.up()[1] is None
    assert len(machine.told) == 2


@pytest.mark.parametrize(
    ("code", "late", "words"),
    [(-9, False, "ended by signal 9"), (0, True, "had not ended within 60 s")],
)
def test_it_is_killed_or_late(
    shop: Shop, machine: Machine, code: int, late: bool, words: str
) -> None:
    write(shop)
    machine.code, machine.late = code, late
    _, error = shop.up()
    assert isinstance(error, CheckFailed)
    assert words in error.what


def test_each_run_is_a_sample_and_the_first_that_fails_ends_them(
    shop: Shop, machine: Machine
) -> None:
    write(shop, ", runs: 3")
    machine.numbers = ("p95=1", "p95=5", "p95=3")
    (check,), error = shop.up()[0].checks, None
    assert error is None
    assert check.samples == (("p95", (1.0, 5.0, 3.0)),)
    assert check.metrics == (("p95", 3.0),)
    assert [told["ENVCTL_RUN_INDEX"] for told in machine.told] == ["0", "1", "2"]
    machine.code, machine.made_of = 1, "2"
    _, failed = shop.up()
    assert failed is not None
    assert "in run 1 of 3" in failed.what
    assert len(machine.told) == 4


@pytest.mark.parametrize(
    ("form", "lines", "text", "found"),
    [
        ("logfmt", ("p95=3", "bye"), "p95=9", {"p95": 3.0}),
        ("json", ('{"test": {"f1": 0.5}}',), "", {"test.f1": 0.5}),
        ("termination", ("p95=9",), '{\n "p95": 3,\n "test": {"f1": 0.5}\n}\n',
         {"p95": 3.0, "test.f1": 0.5}),
    ],
)  # fmt: skip
def test_numbers_are_in_the_output_or_in_a_file(
    shop: Shop, machine: Machine, form: str, lines: tuple[str, ...], text: str,
    found: dict[str, float],
) -> None:  # fmt: skip
    write(shop, f", metrics: {form}")
    machine.lines, machine.numbers = lines, (text,)
    (check,) = shop.up()[0].checks
    assert dict(check.metrics) == found


def test_what_is_shown_is_bounded_and_holds_no_secret(shop: Shop, machine: Machine) -> None:
    write(shop)
    meta = {"name": "keys", "namespace": NS}
    shop.up()
    shop.cluster.put(SECRET, {"metadata": meta, "data": {"password": "Y29ycmVjdC1ob3JzZQ=="}})
    shop.events.clear()
    machine.made_of = "2"
    machine.lines = ("with correct-horse", *("more",) * (commanding.MAX_LINES + 4))
    shop.up()
    shown = [event.line for event in shop.events if isinstance(event, LogLine)]
    assert len(shown) == commanding.MAX_LINES
    assert "correct-horse" not in shown[0]
    notes = [event.message for event in shop.events if isinstance(event, Note)]
    assert any("smoke: 5 lines more" in note for note in notes)


FAILING = """<testsuites><testsuite><properties><property name="p95" value="7"/></properties>
<testcase classname="e2e.cart" name="test_sum">
<failure message="6 is not 5, correct-horse">def test():
E   6 is not 5</failure></testcase><testcase classname="e2e.cart" name="test_empty"/>
</testsuite></testsuites>"""


def test_the_tests_of_a_report_that_failed_are_who_is_to_blame(
    shop: Shop, machine: Machine
) -> None:
    write(shop)
    shop.up()
    meta = {"name": "keys", "namespace": NS}
    shop.cluster.put(SECRET, {"metadata": meta, "data": {"password": "Y29ycmVjdC1ob3JzZQ=="}})
    machine.code, machine.report, machine.made_of = 1, FAILING, "2"
    result, error = shop.up()
    assert error is not None
    assert "1 of 2 tests failed, e2e.cart::test_sum" in error.what
    assert error.failure is not None
    (culprit,) = error.failure.culprits
    assert culprit.object == "Test/e2e.cart::test_sum"
    assert culprit.message.startswith("6 is not 5, ")
    assert "correct-horse" not in culprit.message
    assert culprit.logs[-1] == "E   6 is not 5"
    assert result.checks[0].metrics == (("p95", 7.0),)
    (read,) = [event for event in shop.events if isinstance(event, CasesRead)]
    assert (read.step.name, read.report.total) == ("check/smoke", 2)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("<html/>", "its JUnit report cannot be read"),
        (FAILING, "it ended well, and its report has"),
    ],
)
def test_a_report_that_says_something_else_is_told_of(
    shop: Shop, machine: Machine, report: str, words: str
) -> None:
    write(shop)
    machine.report = report
    assert shop.up()[1] is None
    notes = [event.message for event in shop.events if isinstance(event, Note)]
    assert any(words in note for note in notes)
