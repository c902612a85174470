"""What watches do not say of a failing pod: a container's last words, and what has come since.

The runtime's own last words are final: a program for another processor crashes like any other, and
would get a second and a third chance. A ConfigMap that was not there when the container was to be
made may be there now, or may be what another component of this run is about to make; the kubelet
tries again only after some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.model import advice, references
from envctl.model.objects import CONFIG_MAP, SECRET, Key, Obj, uid_of
from envctl.model.pods import ended
from envctl.workflow import diagnose

if TYPE_CHECKING:
    from envctl.workflow.run import Run

#: Seconds in which somebody else may make what a container names.
GRACE = 3.0
_KINDS = {"ConfigMap": CONFIG_MAP, "Secret": SECRET}


@dataclass(slots=True)
class Inquiry:
    """What was asked so far; pods are known by their UID."""

    hopeless: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)
    #: Seconds until something must be asked again; 0 where nothing must.
    left: float = 0.0
    _read: set[tuple[str, str]] = field(default_factory=set)
    _since: dict[references.Reference, float] = field(default_factory=dict)

    async def ask(self, run: Run, pods: list[Obj], now: float) -> None:
        """Ask about the pods that have ended or cannot begin, each question once."""
        self.left = 0.0
        for pod in pods:
            await self._last_words(run, pod)
            missed = references.missing(pod)
            if missed:
                still = [r for r in missed if not await self._may_come(run, r, now)]
                (self.excused.discard if still else self.excused.add)(uid_of(pod))

    async def _last_words(self, run: Run, pod: Obj) -> None:
        for name, previous in ended(pod):
            if (uid_of(pod), name) in self._read:
                continue
            self._read.add((uid_of(pod), name))
            found = await diagnose.log_of(
                run.tracker, pod["metadata"]["name"], name, previous=previous
            )
            if advice.is_final(found):
                self.hopeless.add(uid_of(pod))

    async def _may_come(self, run: Run, missed: references.Reference, now: float) -> bool:
        namespace = run.environment.namespace
        if not missed.key and Key("", missed.kind, namespace, missed.name) in run.planned:
            return True
        since = self._since.setdefault(missed, now)
        if now - since < GRACE:
            self.left = max(self.left, GRACE - (now - since))
            return True
        return missed.met_by(await run.cluster.get(_KINDS[missed.kind], missed.name, namespace))
