"""``status`` on a screen: what it is, where it answers, what is not ready and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model.quantity import share
from envctl.output.lines import Line, Lines, Span, line
from envctl.output.paint import PAGE_WIDTH
from envctl.output.tables import PHASES, age, time_left
from envctl.output.text import cells, clean, duration, pad, wrap

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from envctl.model.status import ComponentStatus, QuotaUse, StatusResult
    from envctl.output.symbols import Symbols

#: The share of a quota from which on it is worth a warning: the next rollout needs some room.
NEARLY = 0.9
_SHORT_COMMIT = 8
_LABEL = 7


@dataclass(frozen=True, slots=True)
class _Page:
    symbols: Symbols
    width: int
    now: dt.datetime


def status_lines(
    result: StatusResult, symbols: Symbols, width: int | None, now: dt.datetime
) -> Lines:
    """The screen of ``status``; ``now`` is an aware datetime, ages are counted to it."""
    page = _Page(symbols, width or PAGE_WIDTH, now)
    return [
        *_head(result, page),
        *_components(result, page),
        *_quota(result.quota, page),
        *(found for text in result.drift for found in _field("drift", text, page, "warn")),
    ]


def _head(result: StatusResult, page: _Page) -> Lines:
    info = result.environment
    name = "/".join(clean(part) for part in (info.project, info.name) if part)
    lines: Lines = [
        (Span(name, "headline"), Span("  "), Span(str(info.phase), PHASES.get(info.phase, "")))
    ]
    for url in result.urls:
        lines += _field("url", url, page, "link")
    facts = [fact for fact in _facts(result, page) if fact]
    lines += _field("age", ", ".join(facts), page)
    if result.lock:
        seen = age(result.lock.renewed_at, page.now)
        pipeline = f" of pipeline {result.lock.pipeline}" if result.lock.pipeline else ""
        text = f"run {result.lock.run}{pipeline} works on it" + (f", seen {seen} ago" * bool(seen))
        lines += _field("lock", text, page, "accent")
    return lines


def _facts(result: StatusResult, page: _Page) -> Iterator[str]:
    info = result.environment
    left = time_left(info.expires_at, page.now)
    yield age(info.created_at, page.now)
    yield left if left in {"", "expired"} else f"{left} left"
    yield f"by {info.owner}" if info.owner else ""
    yield f"commit {info.commit[:_SHORT_COMMIT]}" if info.commit else ""
    yield f"merge request !{info.merge_request}" if info.merge_request else ""
    yield f"pipeline {info.pipeline}" if info.pipeline else ""


def _components(result: StatusResult, page: _Page) -> Lines:
    rows = [(c.name, c.type, c.state, _signs(c, page)) for c in result.components]
    for name, check in result.checks:
        word = f"{'passed' if check.good else 'failed'} in {duration(check.seconds)}"
        good = (page.symbols.good, "good") if check.good else (page.symbols.bad, "bad")
        rows.append((name, "check", word, good))
    names = max((cells(clean(row[0])) for row in rows), default=0)
    kinds = max((cells(clean(row[1])) for row in rows), default=0)
    unready = {c.name: c for c in result.components}
    lines: Lines = [line()] if rows else []
    for name, kind, word, (sign, style) in rows:
        lines.append(
            (
                Span(f"{sign} ", style),
                Span(pad(clean(name), names), "name"),
                Span(f"  {pad(clean(kind), kinds)}  ", "dim"),
                Span(clean(word), "" if style == "good" else style),
            )
        )
        if kind != "check":
            lines += _reasons(unready[name], page)
    return lines


def _signs(component: ComponentStatus, page: _Page) -> tuple[str, str]:
    return {
        "ready": (page.symbols.good, "good"),
        "failed": (page.symbols.bad, "bad"),
        "unfinished": (page.symbols.warning, "warn"),
    }.get(component.state, (page.symbols.pending, "accent"))


def _reasons(component: ComponentStatus, page: _Page) -> Lines:
    lines: Lines = []
    for found in component.unready:
        text = f"{clean(found.object)}: {clean(found.reason)}"
        lines += [line(f"    {part}") for part in wrap(text, page.width - 4)]
    return lines


def _quota(quota: tuple[QuotaUse, ...], page: _Page) -> Lines:
    if not quota:
        return []
    lines: Lines = [line()]
    for use in quota:
        part = share(use.used, use.hard)
        full = part is not None and part >= NEARLY
        text = f"{use.resource} {use.used} of {use.hard}"
        percent = f" ({part:.0%})" if part is not None else ""
        label = "" if len(lines) > 1 else "quota"
        lines += _field(label, text + percent, page, "warn" if full else "")
    return lines


def _field(label: str, text: str, page: _Page, style: str = "") -> Lines:
    """A label and its value, further lines of it below the first."""
    if not text:
        return []
    parts = wrap(clean(text), page.width - _LABEL - 2)
    lines: Lines = []
    for number, part in enumerate(parts):
        head: Line = (Span(f"  {pad('' if number else label, _LABEL - 2)}  ", "dim"),)
        lines.append((*head, Span(part, style)))
    return lines
