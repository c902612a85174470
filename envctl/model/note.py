"""The one note that envctl keeps on a merge request, as Markdown for GitLab, Gitea and GitHub.

The first line is a hidden marker by which the note is found again. Two equal runs make an equal
note: no time of writing stands in it.
"""

from __future__ import annotations

import datetime as dt
import shlex
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

from envctl.model import markdown, note_parts
from envctl.model.note_parts import LEVELS, Baseline, Level
from envctl.model.words import clean, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envctl.model.environment import EnvironmentInfo
    from envctl.model.result import DownResult, UpResult

#: Characters; GitHub takes 65,536, the others more.
MAX_NOTE = 60_000
_NAME = 100
_DONE = {
    "create": "✅ Created, nothing deployed yet",
    "deploy": "✅ Deployed, not checked yet",
    "test": "✅ Checked",
}
_RESULTS = {
    "unchanged": "✅ Ready: nothing had to change",
    "superseded": "⏳ A newer pipeline took over",
    "timed-out": "❌ A timeout passed",
    "gone": "🗑️ Gone: nothing of it is left",
    "absent": "🗑️ Gone: there was nothing left to remove",
    "stuck": "⚠️ Stuck in deletion",
    "unknown": "⚠️ Not known whether everything of it is gone",
}


@dataclass(frozen=True, slots=True)
class NoteContext:
    """What a note says beside the result. ``now`` is in UTC; ``verb`` is what ran.

    ``baseline`` is what the checks, by name, measured on the target branch, ``baseline_name``.
    """

    now: dt.datetime
    verb: str = "up"
    job_url: str = ""
    commit: str = ""
    pipeline: str = ""
    baseline: Mapping[str, Baseline] = field(default_factory=lambda: MappingProxyType({}))
    baseline_name: str = ""


def marker(project: str, name: str) -> str:
    """The hidden line that makes a note the one of this environment."""
    return f"<!-- envctl:{_quoted(project)}/{_quoted(name)} -->"


def working(info: EnvironmentInfo, context: NoteContext) -> str:
    """The note while a run works on the environment."""
    head = _head("⏳ Being taken away" if context.verb == "down" else "⏳ Deploying", info, context)
    return _note(info, lambda _: head)


def interrupted(info: EnvironmentInfo, context: NoteContext) -> str:
    """The note of a run that was stopped in the middle: what has begun is consistent, not done."""
    head = _head("⚠️ Interrupted", info, context)
    again = "Run the job again to go on where it was."
    return _note(info, lambda _: [*head, again, *_life(info, context)])


def after_up(result: UpResult, context: NoteContext) -> str:
    """The note after ``up``, ``create``, ``deploy`` or ``test``; a failure is its diagnosis."""
    info = result.environment
    head = _head(_up_state(result, context.verb), info, context)

    def sections(level: Level) -> list[str]:
        return [
            *head,
            *note_parts.failure(result.failure, level),
            *note_parts.components(result.components, level),
            *note_parts.checks(result.checks, context.baseline, context.baseline_name, level),
            *note_parts.gates(result.checks, level),
            *_life(info, context),
        ]

    return _note(info, sections)


def after_down(result: DownResult, context: NoteContext) -> str:
    """The note after ``down``: gone, or what holds the rest and who should remove it."""
    info = result.environment
    head = _head(_state(result.result), info, context, linked=False)
    return _note(info, lambda level: [*head, *note_parts.remains(result, level)])


def _up_state(result: UpResult, verb: str) -> str:
    if result.result == "succeeded":
        return _DONE.get(verb, "✅ Ready")
    if result.result == "failed":
        checked = any(check.result == "failed" for check in result.checks)
        return "❌ Deployed, but a check failed" if checked else "❌ Failed"
    return _state(result.result)


def _state(result: str) -> str:
    return _RESULTS.get(result) or f"⚠️ {markdown.code(result, _NAME)}"


def _head(
    state: str, info: EnvironmentInfo, context: NoteContext, *, linked: bool = True
) -> list[str]:
    name = markdown.code(info.name, _NAME) or "environment"
    facts = [
        f"{noun} {markdown.code(value, 40)}"
        for noun, value in (
            ("commit", (context.commit or info.commit)[:12]),
            ("pipeline", context.pipeline or info.pipeline),
        )
        if markdown.code(value, 40)
    ]
    if context.job_url:
        facts.append(markdown.link("job", context.job_url))
    where = [f"**{markdown.link(info.url, info.url)}**"] if linked and info.url else []
    return [
        f"### {state} — {name}",
        *where,
        *([f"Environment {name}: {' · '.join(facts)}"] if facts else []),
    ]


def _life(info: EnvironmentInfo, context: NoteContext) -> list[str]:
    ends = _moment(info.expires_at)
    return [*(_ending(ends, context.now) if ends else []), *_commands(info, context)]


def _ending(ends: dt.datetime, now: dt.datetime) -> list[str]:
    left = (ends - now).total_seconds()
    words = f"in {duration(left)}" if left > 0 else "with the next clean-up"
    return [f"Ends {words}, at `{ends.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}`."]


def _commands(info: EnvironmentInfo, context: NoteContext) -> list[str]:
    where = " ".join(
        f"--{option} {shlex.quote(clean(value, limit=_NAME))}"
        for option, value in (("project", info.project), ("name", info.name))
    )
    jobs = " Or run the manual jobs of this pipeline." if context.pipeline else ""
    lines = [
        f"- {what}: {markdown.code(f'envctl {verb} {where}', 10 * _NAME)}"
        for what, verb in (
            ("Give it more time", "extend"),
            ("Keep it", "keep"),
            ("Take it away", "down"),
        )
    ]
    return ["\n".join(lines), *([jobs.strip()] if jobs else [])]


def _moment(value: str) -> dt.datetime | None:
    """An RFC 3339 time; None for what is none."""
    try:
        moment = dt.datetime.fromisoformat(value)
        return moment.astimezone(dt.UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _quoted(part: str) -> str:
    return quote(part[:_NAME], safe="", errors="replace")


def _note(info: EnvironmentInfo, sections: Callable[[Level], list[str]]) -> str:
    """The longest version that fits; the last level always does."""
    begin = marker(info.project, info.name)
    for level in LEVELS:
        note = "\n\n".join([begin, *sections(level)]) + "\n"
        if len(note) <= MAX_NOTE:
            break
    return note
