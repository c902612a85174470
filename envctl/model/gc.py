"""What gc may delete, and why; pure, so that every rule can be tried in every world.

The rules, the first that fits decides:

1. A run works on it: kept.
2. Its deletion has begun: finished, or called stuck once it has lasted for ``STUCK_AFTER``.
3. Somebody keeps it: kept.
4. Its life is over (``envctl.model.lifetime``): deleted.
5. No run on it ever ended, and it is older than ``UNFINISHED``: deleted.
6. The forge said just now that its merge request is merged or closed: deleted. Anything else that a
   forge may say or not say is no such answer (law 5).
7. Else it is kept.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from envctl.model.environment import (
    FORGE_PROJECT,
    LAST_USED,
    Environment,
    EnvironmentInfo,
    Phase,
    info_of,
)
from envctl.model.forge import ForgeProject, MergeRequest
from envctl.model.lifetime import WARNED, Life, life_of, moment, stamp
from envctl.model.objects import annotations_of, uid_of

if TYPE_CHECKING:
    from datetime import datetime

    from envctl.model.objects import Obj

#: Seconds from its creation in which the first run on an environment must have ended.
UNFINISHED = 6 * 3600.0
#: Seconds after which a namespace that is still being deleted does not go by itself any more.
STUCK_AFTER = 900.0
#: What one run deletes at most unless it is told: as many, and this part of what it sees, ...
MOST = 50
SHARE = 0.25
#: ... but always as many as this: a small team merges that much in a day.
LEAST = 5


class Fate(enum.StrEnum):
    """What is to happen to an environment."""

    DELETE = "delete"
    KEEP = "keep"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A fate and the reason for it, in words that follow the environment's name.

    ``begun`` is a deletion that only goes on; ``asked`` one that the forge's answer decided, which
    is therefore asked again before it.
    """

    fate: Fate
    why: str
    begun: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """The forge gave no answer that could be trusted, or was not asked; ``why`` in a clause."""

    why: str


Answer = MergeRequest | Silence


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one environment. ``used`` says whether any run on it has ever ended."""

    info: EnvironmentInfo
    uid: str
    life: Life
    used: bool
    deleting_since: datetime | None = None
    forge_project: str = ""
    warned_for: str = ""
    recorded: bool = True
    locked: bool = False

    @property
    def environment(self) -> Environment:
        """The environment as a teardown wants it; without a pipeline, so that it overtakes none."""
        return Environment(self.info.project, self.info.name, self.info.namespace)

    @property
    def genuine(self) -> bool:
        """Whether its namespace has the name that envctl would have given it."""
        return self.info.namespace == f"{self.info.project}-{self.info.name}"


def facts_of(namespace: Obj) -> Facts:
    """Read the facts from a Namespace, or from its metadata alone."""
    meta, notes = namespace["metadata"], annotations_of(namespace)
    return Facts(
        info=info_of(namespace),
        uid=uid_of(namespace),
        life=life_of(notes, meta.get("creationTimestamp", "")),
        used=LAST_USED in notes,
        deleting_since=moment(meta.get("deletionTimestamp") or ""),
        forge_project=notes.get(FORGE_PROJECT, ""),
        warned_for=notes.get(WARNED, ""),
    )


def judge(facts: Facts, answer: Answer | None, now: datetime) -> Verdict:
    """What is to happen to the environment; ``now`` is never later than the true time.

    ``answer`` is the forge's about its merge request, None where there is nothing to ask.
    """
    if not facts.genuine:
        return _keep("its namespace is not named as envctl names them")
    if facts.locked:
        return _keep("a run works on it")
    if facts.deleting_since is not None:
        return _going(facts, facts.deleting_since, now)
    life = facts.life
    if life.keep is not None and life.kept(now):
        until = f" until {stamp(life.keep.until)}" if life.keep.until else ""
        return _keep(f"{facts.info.kept_by} keeps it{until}")
    if facts.info.phase is Phase.DELETING:
        return _unended()
    if life.over(now):
        return Verdict(Fate.DELETE, _over(facts))
    if _unfinished(facts, now):
        what = "its creation never finished" if facts.recorded else "it has no record"
        return Verdict(Fate.DELETE, f"{what}, and nobody works on it")
    return _by_merge_request(facts, answer)


def asks(facts: Facts, now: datetime) -> bool:
    """Whether it depends on its merge request alone what is to happen."""
    open_question = judge(facts, None, now).fate is Fate.KEEP and facts.genuine
    return bool(
        open_question and facts.info.merge_request and not facts.life.kept(now) and not facts.locked
    )


def whom_to_ask(facts: Facts, server: str) -> ForgeProject | Silence:
    """The project to ask about, or why nobody can be; ``server`` is the configured forge's."""
    project = ForgeProject.parse(facts.forge_project)
    if not server:
        return Silence("no forge is configured")
    if project is None:
        return Silence("it is not known to which project of the forge it belongs")
    if project.server != server:
        return Silence(f"it belongs to {project.server}, and the forge here is {server}")
    return project


def most_deletions(seen: int, wanted: int | None) -> int:
    """How many environments one run may delete of those it sees."""
    return max(LEAST, min(MOST, int(seen * SHARE))) if wanted is None else wanted


def ends_within(facts: Facts, seconds: float, now: datetime) -> datetime | None:
    """The end to warn of: it comes within some seconds, and nobody was told of it."""
    end = facts.life.end
    if end is None or stamp(end) == facts.warned_for or facts.life.kept(now):
        return None
    return end if end - now <= timedelta(seconds=seconds) else None


def _keep(why: str) -> Verdict:
    return Verdict(Fate.KEEP, why)


def _going(facts: Facts, since: datetime, now: datetime) -> Verdict:
    if facts.info.phase is Phase.STUCK:
        return Verdict(Fate.STUCK, "a teardown has waited in vain for it to go")
    if now - since >= timedelta(seconds=STUCK_AFTER):
        return Verdict(Fate.STUCK, f"it is being deleted since {stamp(since)}")
    return _unended()


def _unended() -> Verdict:
    return Verdict(Fate.DELETE, "its teardown has begun, and nobody goes on with it", begun=True)


def _over(facts: Facts) -> str:
    ended = f"its life ended at {stamp(facts.life.end)}" if facts.life.end else "its life is over"
    return f"{ended}, last used at {facts.info.last_used_at}" if facts.used else ended


def _unfinished(facts: Facts, now: datetime) -> bool:
    created = facts.life.created
    return not facts.used and created is not None and now - created >= timedelta(seconds=UNFINISHED)


def _by_merge_request(facts: Facts, answer: Answer | None) -> Verdict:
    iid = facts.info.merge_request
    if isinstance(answer, MergeRequest) and iid and answer.iid == iid:
        if answer.state.ended:
            return Verdict(Fate.DELETE, f"merge request !{iid} is {answer.state}", asked=True)
        return _keep(f"merge request !{iid} is {answer.state}, and {_left(facts)}")
    if isinstance(answer, MergeRequest):
        answer = Silence("the forge answered about another one")
    if answer is not None and iid:
        return _keep(f"merge request !{iid} may be open: {answer.why}")
    return _keep(_left(facts))


def _left(facts: Facts) -> str:
    if facts.life.end is None:
        return "nothing ends its life"
    if not facts.used:
        return f"it is being created since {facts.info.created_at}"
    return f"it lives until {stamp(facts.life.end)}"
