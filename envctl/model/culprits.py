"""Who is to blame among all that is not ready: one culprit a cause, and who merely waits."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from envctl.model.telling import culminates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envctl.model.failure import Culprit

#: Reasons that what depends on a culprit has too: it is there, and not ready for want of the other.
SOFT = frozenset(
    {"NotReady", "Unhealthy", "ContainersNotReady", "ReadinessGatesNotReady", "NoEndpoints"}
)
#: One cause that the kubelet calls by two names, one after the other.
_FAMILIES = {
    "ErrImagePull": "pull",
    "ImagePullBackOff": "pull",
    "CrashLoopBackOff": "crash",
    "Error": "crash",
}
_BACK_OFF = re.compile(r"^.*?ErrImagePull: ")
#: What a pod's name adds to that of its workload.
_POD = "(?:-[a-z0-9]{4,10}){0,2}"
#: Addresses, ports, times, counts: what differs between two of one cause.
_VARIES = re.compile(r"\(restarted [a-z0-9 ]+\)|\b[0-9a-f]{6,}\b|\d+")


def cause(culprit: Culprit) -> tuple[str, str, str]:
    """What two culprits with the same cause have in common."""
    family = _FAMILIES.get(culprit.reason, culprit.reason)
    message = culprit.message
    if family == "pull":
        head, _, rest = message.partition(": ")
        message = f"{head}: {_BACK_OFF.sub('', rest)}"
    told = culprit.logs[culminates(culprit.logs)] if culprit.logs else ""
    return family, _masked(message, culprit), _masked(told, culprit)


def _masked(text: str, culprit: Culprit) -> str:
    own = {culprit.object.partition("/")[2], culprit.container, culprit.component} - {""}
    for name in sorted(own, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}{_POD}(?![\w-])", "~", text)
    return _VARIES.sub("#", text)


def grouped(culprits: Iterable[Culprit]) -> tuple[Culprit, ...]:
    """One culprit for each cause, in the order of their first; the others are in its ``also``."""
    found: dict[tuple[str, str, str], Culprit] = {}
    for culprit in culprits:
        key = cause(culprit)
        first = found.get(key)
        if first is None:
            found[key] = culprit
        elif culprit.object not in (
            first.object,
            *first.also,
        ):  # by all its users
            found[key] = replace(first, also=(*first.also, culprit.object))
    return tuple(found.values())


def blamed(culprits: Sequence[Culprit], doomed: int) -> tuple[tuple[Culprit, ...], list[str]]:
    """Who is to blame, one a cause, and the names of who may only be waiting for them.

    The first ``doomed`` have failed for good; what has not is to blame if it has the same cause,
    and is on its way there. Where none has, it is whatever has a hard reason: what is merely not
    ready yet is likely to wait for that.
    """
    failed = culprits[:doomed] or [c for c in culprits if c.reason not in SOFT] or culprits
    causes = {cause(culprit) for culprit in failed}
    same = [c for c in culprits if cause(c) in causes]
    return grouped(same), [c.object for c in culprits if cause(c) not in causes]
