"""``doctor`` on a screen: a line a finding, and below what is wrong, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.finding import Verdict
from envctl.output.lines import Lines, Span, line
from envctl.output.paint import PAGE_WIDTH
from envctl.output.text import cells, clean, count, pad, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.finding import Finding
    from envctl.output.symbols import Symbols

_STYLES = {Verdict.OK: "good", Verdict.WARN: "warn", Verdict.FAIL: "bad"}


def doctor_lines(findings: Sequence[Finding], symbols: Symbols, width: int | None) -> Lines:
    """The whole screen; the last line sums it up."""
    names = max((cells(clean(finding.name)) for finding in findings), default=0)
    lines: Lines = []
    for finding in findings:
        lines += _finding(finding, symbols, names, (width or PAGE_WIDTH) - names - 4)
    return [*lines, line(), *_sum(findings, symbols)]


def _finding(finding: Finding, symbols: Symbols, names: int, room: int) -> Lines:
    signs = {Verdict.OK: symbols.good, Verdict.WARN: symbols.warning, Verdict.FAIL: symbols.bad}
    style = _STYLES[finding.result]
    first, *more = wrap(clean(finding.detail), room)
    lines: Lines = [
        (
            Span(f"{signs[finding.result]} ", style),
            Span(pad(clean(finding.name), names), "name"),
            Span(f"  {first}"),
        )
    ]
    indent = " " * (names + 4)
    lines += [line(indent + text) for text in more]
    advice = wrap(clean(finding.next), room - 2) if finding.next else []
    for number, text in enumerate(advice):
        sign = " " if number else symbols.arrow
        lines.append((Span(f"{indent}{sign} ", "accent"), Span(text)))
    return lines


def _sum(findings: Sequence[Finding], symbols: Symbols) -> Lines:
    failed = sum(finding.result is Verdict.FAIL for finding in findings)
    warned = sum(finding.result is Verdict.WARN for finding in findings)
    if failed:
        text = f"{count(failed, 'thing')} to mend"
        return [(Span(f"{symbols.bad} ", "bad"), Span(text, "bad"))]
    text = "ready for `envctl up`" + (f", {count(warned, 'warning')}" if warned else "")
    return [(Span(f"{symbols.good} ", "good"), Span(text))]
