"""Steps, failures and results to show; and a terminal that is none."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from envctl.model.environment import EnvironmentInfo, Phase
from envctl.model.events import (
    Event,
    GraphPlanned,
    StepFinished,
    StepProgress,
    StepStarted,
    Waiting,
)
from envctl.model.failure import Culprit, Failure
from envctl.model.result import CheckResult, ComponentResult, DownResult, StuckObject, UpResult
from envctl.model.step import API, Outcome, Step
from envctl.output.context import RunContext
from envctl.output.text import cells

if TYPE_CHECKING:
    from envctl.output.lines import Line

#: Clears the screen, renames the window, moves up a line, fakes a section, reverses the reading.
EVIL = (
    "a\x1b[2Jb\x1b]0;owned\x07c\x9b1Ad\x1bPq\x1b\\e\r\x1b[0Ksection_start:1:x\r\x1b[0K"
    "\u202egnp.exe\u2028[bold red]\x00\x08\x7f"
)
CONTEXT = RunContext("fix-cart", "shop", "8f3a2c11", "4711", "up", started=1_800_000_000.0)
INFO = EnvironmentInfo(
    "shop", "fix-cart", "shop-fix-cart", Phase.READY, url="http://fix-cart.localhost:8080/"
)


def step(name: str, *needs: str, kind: str = "helm", timeout: float = 60.0) -> Step:
    return Step(name, timeout, needs, API, component=name, kind=kind)


DB, API_STEP, WEB = step("db"), step("api", "db", kind="kustomize"), step("web", "api")
SMOKE = Step("smoke", 30.0, ("web",), kind="check")

FAILURE = Failure(
    "Deployment/api cannot start: its program ends with code 1.",
    (
        Culprit(
            "Deployment/api",
            "api",
            "container api ends with code 1",
            "started 3 times",
            "api",
            logs=tuple(f"line {number} of the log" for number in range(30)),
            events=("BackOff: restarting failed container",),
        ),
    ),
    next="Look at the first lines of the log.",
    dependants=2,
)


def run_of(*steps: Step, failing: Failure | None = None) -> list[Event]:
    """The events of a run of ``steps``, one after the other; the last one fails, if asked to."""
    events: list[Event] = [GraphPlanned(steps)]
    for number, one in enumerate(steps):
        begin = number * 2.0
        events += [
            StepStarted(one, 1, begin),
            StepProgress(one, 1, begin + 1, "applied", (Waiting("Deployment/x", "0 of 1"),), 1, 2),
        ]
        failed = failing is not None and number == len(steps) - 1
        events.append(
            StepFinished(
                one,
                1,
                begin + 2,
                Outcome.FAILED if failed else Outcome.SUCCEEDED,
                2.0,
                changed=True,
                failure=failing if failed else None,
            )
        )
    return events


def up_result(result: str = "succeeded", failure: Failure | None = None) -> UpResult:
    return UpResult(
        INFO,
        result,
        (ComponentResult("db", "helm", "succeeded", True, 8.12345),),
        (CheckResult("smoke", "passed", 1.5, (("orders", 41.5),)),),
        failure,
        137,
        13.0,
    )


def down_result(result: str, *stuck: StuckObject, leftovers: tuple[str, ...] = ()) -> DownResult:
    return DownResult(INFO, result, leftovers, stuck, 5.4)


class Tty(io.StringIO):
    """A stream that says it is a terminal, and keeps what is written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def width_of(spans: Line) -> int:
    """How many cells the line takes."""
    return sum(cells(span.text) for span in spans)
