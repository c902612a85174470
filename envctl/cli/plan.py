"""``envctl plan``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from envctl.cli import boundary
from envctl.cli.options import (
    DEFAULT_FILE,
    ContextOption,
    FileOption,
    ImageOption,
    NameOption,
    Options,
    OutputOption,
    ProjectOption,
)
from envctl.errors import EXIT_CHANGES, EXIT_OK

if TYPE_CHECKING:
    from envctl.model.plan import ObjectChange, PlanResult
    from envctl.output.lines import Lines
    from envctl.output.sink import Output

_SIGNS = {"create": ("+", "good"), "update": ("~", "warn"), "replace": ("±", "warn"),
          "delete": ("-", "bad")}  # fmt: skip
_WIDTH = 80


def plan(
    file: FileOption = DEFAULT_FILE,
    context: ContextOption = "",
    project: ProjectOption = "",
    name: NameOption = "",
    image: ImageOption = [],  # noqa: B006 - typer reads it, nobody changes it
    output: OutputOption = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 3 when there are changes.")
    ] = False,
) -> None:
    """Show what `up` would do, object by object and field by field; write nothing.

    Example: envctl plan --detailed-exitcode
    """
    options = Options("plan", file, context, project, name, output, tuple(image))

    async def verb(out: Output) -> int:
        from envctl.cli.wiring import wired
        from envctl.workflow.plan import plan as compute

        async with wired(options, out, needs_file=True) as found:
            if found.loaded is None:
                raise TypeError
            result = await compute(found.world, found.loaded)
        out.document(result.as_json(), _lines(result))
        return EXIT_CHANGES if detailed_exitcode and result.has_changes else EXIT_OK

    boundary.run(options, verb)


def _lines(result: PlanResult) -> Lines:
    from envctl.output.lines import line

    found: Lines = [line(f"drift: {text}", "warn") for text in result.drift]
    for change in result.changes:
        if change.action != "unchanged":
            found += _change(change)
    counts = {
        action: sum(1 for c in result.changes if c.action == action)
        for action in ("create", "update", "replace", "delete", "unchanged")
    }
    words = ", ".join(f"{count} to {a}" for a, count in counts.items() if count and a in _SIGNS)
    summary = words or "Nothing to do"
    return [*found, line(f"{summary}; {counts['unchanged']} unchanged.", "headline")]


def _change(change: ObjectChange) -> Lines:
    from envctl.output.lines import line

    sign, style = _SIGNS[change.action]
    owner = f" ({change.component})" if change.component else ""
    found = [line(f"{sign} {change.object}{owner}", style)]
    return found + [
        line(f"    {field.path}: {_short(field.before)} → {_short(field.after)}")
        for field in change.fields
    ]


def _short(value: Any) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
