"""A failure as logfmt lines, where no screen is: the same evidence, one fact a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.telling import telling
from envctl.output.failure import LOG_LINES, MAX_CULPRITS, MAX_EVENTS, rest
from envctl.output.logfmt import logfmt_line

if TYPE_CHECKING:
    from envctl.errors import EnvctlError
    from envctl.model.failure import Culprit, Failure
    from envctl.output.context import RunContext


def error_logfmt(context: RunContext, error: EnvctlError, elapsed: float) -> list[str]:
    """The line of an error, and those of its diagnosis."""
    fields = {"why": error.why, "next": error.next, "exit_code": error.exit_code}
    lines = [logfmt_line(context, "error", error.what, fields, elapsed=elapsed)]
    return lines + (failure_logfmt(context, error.failure, elapsed) if error.failure else [])


def failure_logfmt(context: RunContext, failure: Failure, elapsed: float) -> list[str]:
    """The verdict, then what proves it: a line each log line and event of each culprit."""
    fields = {"next": failure.next, "dependants": failure.dependants}
    lines = [logfmt_line(context, "error", failure.verdict, fields, elapsed=elapsed)]
    shown = failure.culprits[:MAX_CULPRITS]
    for culprit in shown:
        lines += _culprit(context, culprit, LOG_LINES[len(shown)], elapsed)
    return lines + [
        logfmt_line(context, "error", sentence, elapsed=elapsed) for sentence in rest(failure)
    ]


def _culprit(context: RunContext, culprit: Culprit, logs: int, elapsed: float) -> list[str]:
    who = {"object": culprit.object, "component": culprit.component}
    if culprit.container:
        who["container"] = culprit.container
    said = ": ".join(part for part in (culprit.reason, culprit.message) if part)
    facts = [(said, who | ({"next": culprit.next} if culprit.next else {}))]
    if others := culprit.others():
        facts.append((others, who))
    facts += [(text, who | {"source": "log"}) for text in telling(culprit.logs, logs)]
    facts += [(text, who | {"source": "event"}) for text in culprit.events[-MAX_EVENTS:]]
    return [logfmt_line(context, "error", msg, more, elapsed=elapsed) for msg, more in facts]
