"""A failure on one screen: the verdict, who is to blame and what proves it, what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from envctl.model.failure import named
from envctl.model.telling import culminates, telling
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
#: Lines of the screen that nothing needs more than, however high the terminal is.
MAX_HEIGHT = 40
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much is shown of what proves a failure.

    ``logs`` and ``events`` are lines a culprit, ``folds`` lines of the screen for each of them and
    ``sentence`` for the culprit's message. The line of a log that tells most is what a program said
    before it died: it always gets ``MAX_FOLDS``.
    """

    logs: int
    events: int
    folds: int
    sentence: int


#: All there is to say, for a file.
_ALL = Evidence(25, MAX_EVENTS, MAX_FOLDS, 40)
#: And from there down to what fits on a small screen.
_LESS = (
    _ALL,
    Evidence(25, MAX_EVENTS, 1, 40),
    Evidence(12, 3, 1, 40),
    Evidence(8, 3, 1, 6),
    Evidence(4, 2, 1, 4),
    Evidence(2, 1, 1, 3),
    Evidence(1, 1, 1, 2),
    Evidence(1, 0, 1, 1),
    Evidence(0, 0, 1, 1),
)


def error_screen(error: EnvctlError, width: int, height: int | None, symbols: Symbols) -> Lines:
    """The screen of an error: what, why, its diagnosis if there is one, and what to do next.

    ``width`` and ``height`` are those of the screen; without a height there is no limit,
    and with one it is at most ``MAX_HEIGHT``.
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
        if height is None or len(shown) <= min(height, MAX_HEIGHT):
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
        said = culprit.message and clean(culprit.message) in clean(failure.verdict)
        known = replace(culprit, message="") if said else culprit
        lines += [line(), *_culprit(known, share, width, symbols)]
    tail = [part for text in rest(failure) for part in _paragraph(text, width, "dim")]
    if tail:
        lines += [line(), *tail]
    advice = next or (shown[0].next if shown else "")
    return lines + _next(advice, width, symbols)


def rest(failure: Failure) -> list[str]:
    """What is not shown in full, a sentence each: other culprits, who waits for them, what else."""
    sentences = []
    hidden = tuple(culprit.object for culprit in failure.culprits[MAX_CULPRITS:])
    if hidden:
        sentences.append(f"{count(len(hidden), 'more object')} failed too: {named(hidden)}.")
    if failure.dependants:
        waits = "waits" if failure.dependants == 1 else "wait"
        sentences.append(f"{count(failure.dependants, 'other component')} only {waits} for this.")
    if failure.waiting:
        sentences.append(f"Not ready yet at the end: {named(failure.waiting)}.")
    return sentences


def _culprit(culprit: Culprit, evidence: Evidence, width: int, symbols: Symbols) -> Lines:
    lines: Lines = [_title(culprit, width, symbols)]
    reason = _paragraph(": ".join(p for p in (culprit.reason, culprit.message) if p), width)
    lines += _at_most(reason, evidence.sentence, width, symbols)
    if others := culprit.others():
        lines += _at_most(_paragraph(others, width), evidence.sentence, width, symbols)
    shown = telling(culprit.logs, evidence.logs)
    if shown:
        lines.append(line(f"{_INDENT}{_logs_are(culprit.logs, shown)}", "dim"))
        most = culminates(shown)
        for index, text in enumerate(shown):
            folds = MAX_FOLDS if index in {most, len(shown) - 1} else evidence.folds
            lines += _quoted(text, width, symbols, folds)
    events = culprit.events[-evidence.events :] if evidence.events else ()
    if events:
        lines.append(line(f"{_INDENT}events", "dim"))
        for text in events:
            lines += _quoted(text, width, symbols, max(evidence.folds, 2))
    return lines


def _logs_are(logs: tuple[str, ...], shown: tuple[str, ...]) -> str:
    """Which lines of the log these are; the last ones, or others that tell more."""
    if shown == logs[-len(shown) :]:
        return f"log, last {count(len(shown), 'line')}"
    return f"log, {count(len(shown), 'line')} around its last error"


def _at_most(lines: Lines, most: int, width: int, symbols: Symbols) -> Lines:
    """The first lines of a paragraph; the last one says that something was cut."""
    if len(lines) <= most:
        return lines
    *head, tail = lines[most - 1]
    cut = fit(f"{tail.text} {symbols.ellipsis}", width - len(_INDENT), symbols.ellipsis)
    if not cut.endswith(symbols.ellipsis):
        cut += symbols.ellipsis
    return [*lines[: most - 1], (*head, Span(cut, tail.style))]


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
