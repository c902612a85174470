"""Results in words: the lines that ``up`` and ``down`` end with on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.output.lines import Line, Lines, Span, line
from envctl.output.text import cells, clean, count, duration, pad, wrap

if TYPE_CHECKING:
    from envctl.model.environment import EnvironmentInfo
    from envctl.model.result import DownResult, StuckObject, UpResult
    from envctl.output.symbols import Symbols


def up_lines(result: UpResult, symbols: Symbols, width: int, *, components: bool) -> Lines:
    """How it ended, and where to click; with ``components`` (no tree was shown) one line each."""
    lines: Lines = _parts(result, symbols) if components else [line()]
    lines.append(_up_head(result, symbols))
    lines += [line(f"  {text}", "dim") for text in wrap(_sizes(result), width - 2)]
    if result.environment.url and result.result in {"succeeded", "unchanged"}:
        lines.append((Span("  "), Span(clean(result.environment.url), "link")))
    return lines


def _up_head(result: UpResult, symbols: Symbols) -> Line:
    name, took = _name(result.environment), duration(result.seconds)
    match result.result:
        case "succeeded":
            return _head(symbols.good, "good", f"{name} is ready", f" in {took}")
        case "unchanged":
            return _head(symbols.good, "good", f"{name} is up to date", f", checked in {took}")
        case "superseded":
            said = f"{name} was taken over by a newer pipeline"
            return _head(symbols.stopped, "warn", said, f" after {took}")
        case "timed-out":
            return _head(symbols.bad, "bad", f"{name} was not ready in time", f", after {took}")
        case _:
            return _head(symbols.bad, "bad", f"{name} failed", f" after {took}")


def _sizes(result: UpResult) -> str:
    changed = sum(component.changed for component in result.components)
    total = len(result.components)
    words = []
    if changed or result.result != "unchanged":
        words = [f"{changed} of {count(total, 'component')} changed"] if total else []
    elif total:
        words = [f"nothing to do in {count(total, 'component')}"]
    if result.checks:
        passed = sum(check.result in {"passed", "unchanged"} for check in result.checks)
        words.append(f"{passed} of {count(len(result.checks), 'check')} passed")
    return ", ".join([*words, count(result.api_requests, "API request")])


def _parts(result: UpResult, symbols: Symbols) -> Lines:
    named = [(c.name, c.type, c.state, c.seconds) for c in result.components]
    named += [(c.name, "check", c.result, c.seconds) for c in result.checks]
    names = max((cells(clean(name)) for name, *_ in named), default=0)
    kinds = max((cells(clean(kind)) for _, kind, *_ in named), default=0)
    lines: Lines = []
    for name, kind, state, seconds in named:
        good = state in {"succeeded", "unchanged", "passed"}
        lines.append(
            (
                Span(f"{symbols.good if good else symbols.bad} ", "good" if good else "bad"),
                Span(pad(clean(name), names), "name"),
                Span(f"  {pad(clean(kind), kinds)}", "dim"),
                Span(f"  {clean(state)}"),
                Span(f"  {duration(seconds)}", "dim"),
            )
        )
    return lines


def down_lines(result: DownResult, symbols: Symbols) -> Lines:
    """What is proved to be gone, and what is not: who holds it and what to do."""
    name, took = _name(result.environment), duration(result.seconds)
    match result.result:
        case "gone":
            lines = [_head(symbols.good, "good", f"{name} is gone", f", nothing left ({took})")]
        case "absent":
            lines = [
                _head(symbols.same, "good", f"{name} does not exist", ", nothing was to be done")
            ]
        case "stuck":
            said = f": {count(len(result.stuck), 'object')} will not go ({took})"
            lines = [_head(symbols.bad, "bad", f"{name} is stuck", said)]
        case _:
            said = f": its absence could not be proved ({took})"
            lines = [_head(symbols.bad, "bad", f"{name} may still be there", said)]
    for stuck in result.stuck:
        lines += _stuck(stuck, symbols)
    if result.leftovers:
        lines.append(line("  left over", "dim"))
        lines += [line(f"  {symbols.bar} {clean(name)}") for name in result.leftovers]
    return lines


def _stuck(stuck: StuckObject, symbols: Symbols) -> Lines:
    held = f"  held by {clean(', '.join(stuck.finalizers))}" if stuck.finalizers else ""
    lines: Lines = [(Span(f"  {clean(stuck.object)}", "name"), Span(held))]
    if stuck.controller:
        lines.append(line(f"  {clean(stuck.controller)}"))
    if stuck.next:
        lines.append((Span(f"  {symbols.arrow} ", "accent"), Span(clean(stuck.next))))
    return lines


def _name(environment: EnvironmentInfo) -> str:
    parts = (environment.project, environment.name)
    return clean("/".join(part for part in parts if part)) or "the environment"


def _head(sign: str, style: str, said: str, rest: str) -> Line:
    return (Span(f"{sign} ", style), Span(said, "headline"), Span(rest))
