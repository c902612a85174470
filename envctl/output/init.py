"""``init`` on a screen: what was found and why, what was left out, and what is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.output.lines import Lines, Span, line
from envctl.output.text import cells, clean, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.found import InitResult, Part


def init_lines(result: InitResult) -> Lines:
    """The whole screen."""
    if result.exists:
        return [line(f"{clean(result.file)} is there already; nothing was written.", "good")]
    found = result.findings
    lines: Lines = _table("found", [*found.components, *found.checks])
    lines += _pairs("left out", [(s.path, s.why) for s in found.skipped])
    if found.notes:
        lines += [line(), line("to know", "name"), *(line(f"  {clean(n)}") for n in found.notes)]
    lines += [line(), *(line(f"wrote {clean(path)}", "good") for path in result.written)]
    pipeline = result.pipeline
    if pipeline.add:
        lines += [line(f"add to {pipeline.file}:", "warn"), line()]
        lines += [line(f"  {clean(text, keep_newlines=True)}") for text in _split(pipeline.text)]
        lines.append(line())
    elif pipeline.system == "none":
        lines.append(line("no CI was recognised: --ci says which one", "dim"))
    return [*lines, line(f"next: envctl validate, then envctl up (project {found.project})")]


def _split(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")


def _table(title: str, parts: Sequence[Part]) -> Lines:
    names = max(cells(part.name) for part in parts)
    paths = max(cells(clean(part.path)) for part in parts)
    rows: Lines = [line(title, "name")]
    for part in parts:
        needs = f"; needs {', '.join(part.needs)}" if part.needs else ""
        rows.append(
            (
                Span(f"  {pad(part.name, names)}  ", "accent"),
                Span(f"{pad(clean(part.path), paths)}  "),
                Span(f"{clean(part.why)}{needs}", "dim"),
            )
        )
    return rows


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> Lines:
    if not pairs:
        return []
    width = max(cells(clean(path)) for path, _ in pairs)
    rows: Lines = [line(), line(title, "name")]
    for path, why in pairs:
        rows.append((Span(f"  {pad(clean(path), width)}  "), Span(clean(why), "dim")))
    return rows
