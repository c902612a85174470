"""A failure on one screen: the verdict, who is to blame and what proves it, what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envctl.output.lines import Line, Lines, Span, line
from envctl.output.text import cells, clean, count, fit, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.errors import EnvctlError
    from envctl.model.failure import Culprit, Failure
    from envctl.output.symbols import Symbols

MAX_CULPRITS = 3
MAX_EVENTS = 5
#: Log lines a culprit may show, by how many culprits share the screen.
LOG_LINES = {1: 25, 2: 12, 3: 8}
#: A log line is folded to this many lines of the screen, then cut.
MAX_FOLDS = 3
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much of a log is shown: lines a culprit, and lines of the screen for each of them.

    The last line of a log is what a program said before it died: it always gets ``MAX_FOLDS``.
    """

    logs: int
    folds: int


#: From all there is to say down to what fits on a small screen.
_LESS = (
    Evidence(25, MAX_FOLDS),
    Evidence(25, 1),
    Evidence(12, 1),
    Evidence(8, 1),
    Evidence(4, 1),
    Evidence(2, 1),
)


def error_screen(error: EnvctlError, width: int, height: int | None, symbols: Symbols) -> Lines:
    """The screen of an error: what, why, its diagnosis if there is one, and what to do next.

    ``width`` and ``height`` are those of the screen; without a height there is no limit.
    """
    return _fitting(lambda evidence: _error(error, width, symbols, evidence), height)


def failure_screen(failure: Failure, width: int, height: int | None, symbols: Symbols) -> Lines:
    """The screen of a failure that came with a result; sizes as in ``error_screen``."""
    return _fitting(lambda evidence: _failure(failure, width, symbols, evidence), height)


def _fitting(screen: Callable[[Evidence], Lines], height: int | None) -> Lines:
    """The fullest screen that is not taller than ``height``, or the shortest there is."""
    shown: Lines = []
    for evidence in _LESS:
        shown = screen(evidence)
        if height is None or len(shown) <= height:
            break
    return shown


def _error(error: EnvctlError, width: int, symbols: Symbols, evidence: Evidence) -> Lines:
    failure = error.failure
    lines = _headline(error.what, width, symbols)
    if error.why and not (failure and error.why == failure.verdict):
        lines += _paragraph(error.why, width)
    if failure is None:
        return lines + _next(error.next, width, symbols)
    if failure.verdict != error.what:
        lines += _paragraph(failure.verdict, width)
    return lines + _diagnosis(failure, failure.next or error.next, width, symbols, evidence)


def _failure(failure: Failure, width: int, symbols: Symbols, evidence: Evidence) -> Lines:
    lines = [line(), *_headline(failure.verdict, width, symbols)]
    return lines + _diagnosis(failure, failure.next, width, symbols, evidence)


def _headline(sentence: str, width: int, symbols: Symbols) -> Lines:
    first, *rest = wrap(clean(sentence, keep_newlines=True), width - 2)
    lines: Lines = [(Span(f"{symbols.bad} ", "bad"), Span(first, "headline"))]
    return lines + [(Span(_INDENT), Span(text, "headline")) for text in rest]


def _paragraph(text: str, width: int, style: str = "") -> Lines:
    wrapped = wrap(clean(text, keep_newlines=True), width - len(_INDENT))
    return [(Span(_INDENT), Span(part, style)) for part in wrapped]


def _diagnosis(
    failure: Failure, next: str, width: int, symbols: Symbols, evidence: Evidence
) -> Lines:
    shown = failure.culprits[:MAX_CULPRITS]
    lines: Lines = []
    for culprit in shown:
        share = replace(evidence, logs=min(evidence.logs, LOG_LINES[len(shown)]))
        lines += [line(), *_culprit(culprit, share, width, symbols)]
    tail: Lines = []
    if hidden := len(failure.culprits) - len(shown):
        tail += _paragraph(f"{count(hidden, 'more object')} failed too.", width, "dim")
    if failure.dependants:
        waits = "waits" if failure.dependants == 1 else "wait"
        others = count(failure.dependants, "other component")
        tail += _paragraph(f"{others} only {waits} for this.", width, "dim")
    if tail:
        lines += [line(), *tail]
    advice = next or (shown[0].next if shown else "")
    return lines + _next(advice, width, symbols)


def _culprit(culprit: Culprit, evidence: Evidence, width: int, symbols: Symbols) -> Lines:
    lines: Lines = [_title(culprit, width, symbols)]
    lines += _paragraph(": ".join(p for p in (culprit.reason, culprit.message) if p), width)
    if culprit.logs:
        shown = culprit.logs[-evidence.logs :]
        lines.append(line(f"{_INDENT}log, last {count(len(shown), 'line')}", "dim"))
        for text in shown[:-1]:
            lines += _quoted(text, width, symbols, evidence.folds)
        lines += _quoted(shown[-1], width, symbols)
    if culprit.events:
        lines.append(line(f"{_INDENT}events", "dim"))
        for text in culprit.events[-MAX_EVENTS:]:
            lines += _quoted(text, width, symbols)
    return lines


def _title(culprit: Culprit, width: int, symbols: Symbols) -> Line:
    where = [f"container {culprit.container}"] if culprit.container else []
    if culprit.component:
        where.append(f"component {culprit.component}")
    title = fit(clean(culprit.object), width - len(_INDENT), symbols.ellipsis)
    rest = "".join(f" {symbols.dot} {clean(part)}" for part in where)
    room = width - len(_INDENT) - cells(title)
    return (Span(_INDENT), Span(title, "name"), Span(fit(rest, room, symbols.ellipsis), "dim"))


def _quoted(text: str, width: int, symbols: Symbols, most: int = MAX_FOLDS) -> Lines:
    """One line of a log or an event, folded to the width; what is longer still is cut."""
    room = width - len(_INDENT) - 2
    folds = wrap(clean(text), room)
    if len(folds) > most:
        cut = " ".join(folds[most - 1 :])
        folds = [*folds[: most - 1], fit(cut, room, symbols.ellipsis)]
    return [(Span(f"{_INDENT}{symbols.bar} ", "dim"), Span(fold, "quote")) for fold in folds]


def _next(advice: str, width: int, symbols: Symbols) -> Lines:
    if not advice:
        return []
    first, *rest = wrap(clean(advice, keep_newlines=True), width - 2)
    lines: Lines = [line(), (Span(f"{symbols.arrow} ", "accent"), Span(first))]
    return lines + [line(f"{_INDENT}{text}") for text in rest]
