from __future__ import annotations

import pytest

from envctl.model.finding import Finding, fail, ok, warn
from envctl.output.doctor import doctor_lines
from envctl.output.lines import plain_text
from envctl.output.symbols import ASCII, UNICODE
from tests.unit.output.samples import EVIL, width_of

FOUND = [
    ok("cluster", "Kubernetes v1.37.2 answers in 5 ms"),
    warn("storage", "there is no default StorageClass", "Mark one as default."),
    fail("context", "The context 'x' does not exist.", "Choose one with --context."),
]


def test_each_has_a_line_and_below_it_what_to_do() -> None:
    assert plain_text(doctor_lines(FOUND, UNICODE, 80)) == (
        "✔ cluster  Kubernetes v1.37.2 answers in 5 ms\n"
        "! storage  there is no default StorageClass\n"
        "           → Mark one as default.\n"
        "✘ context  The context 'x' does not exist.\n"
        "           → Choose one with --context.\n"
        "\n"
        "✘ 1 thing to mend\n"
    )


@pytest.mark.parametrize(
    ("findings", "end"),
    [
        (FOUND[:1], "✔ ready for `envctl up`\n"),
        (FOUND[:2], "✔ ready for `envctl up`, 1 warning\n"),
        ([*FOUND, FOUND[2]], "✘ 2 things to mend\n"),
    ],
)
def test_the_last_line_sums_it_up(findings: list[Finding], end: str) -> None:
    assert plain_text(doctor_lines(findings, UNICODE, None)).endswith(end)


@pytest.mark.parametrize("width", [40, 60])
def test_it_is_never_wider_than_the_screen(width: int) -> None:
    long = [fail("permissions", "may not " + "list secrets, " * 20, "rule " * 40)]
    assert all(width_of(spans) <= width for spans in doctor_lines(long, ASCII, width))


def test_what_others_wrote_is_neutralised() -> None:
    assert "\x1b" not in plain_text(doctor_lines([fail(EVIL, EVIL, EVIL)], UNICODE, 60))
