"""The proof of a teardown: it ends when the API says that all is gone, or names what is stuck."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Refused, TimedOut, Unavailable
from envctl.model.environment import PHASE, Environment, Phase
from envctl.model.events import Waiting
from envctl.model.lifetime import stamp
from envctl.model.objects import NAMESPACE, PV, uid_of
from envctl.model.readiness import conditions
from envctl.ports.cluster import NotFound
from envctl.workflow import forcing, leftovers, stuck
from envctl.workflow.absence import until_gone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.objects import Obj, Resource
    from envctl.model.result import StuckObject
    from envctl.ports.cluster import Cluster
    from envctl.workflow.engine import StepContext
    from envctl.workflow.writer import Writer

#: Seconds of the step that are kept to find out what is stuck; of a short one a third.
DIAGNOSIS = 15.0
#: Seconds that objects outside the namespace get to go; most are gone long before it.
OUTSIDE = 20.0
POLL = 0.5
#: Annotation that `down` changes while it waits.
AWAITED = "envctl.dev/awaited-at"


@dataclass(slots=True)
class Proof:
    """One namespace (by its UID), and what the environment has outside of it."""

    cluster: Cluster
    writer: Writer
    uid: str
    kinds: list[Resource]
    volumes: Sequence[str]
    force: bool = False
    stuck: list[StuckObject] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def environment(self) -> Environment:
        """The environment that goes."""
        return self.writer.environment

    async def run(self, context: StepContext) -> None:
        """Return when all is gone; raises TimedOut or EnvctlError with what is stuck."""
        try:
            async with asyncio.timeout(_patience(context.step.timeout)):
                await self._gone(context)
                await self._volumes_gone(context)
                await self._outside_gone(context)
        except TimeoutError:
            raise await self._stuck(context) from None
        if self.left:
            self.stuck = await stuck.stuck(self.cluster, self.environment, self.uid, self.kinds)
            raise left_behind(self.environment, self.left, self.stuck)

    async def _stuck(self, context: StepContext) -> TimedOut:
        self.stuck = await stuck.stuck(self.cluster, self.environment, self.uid, self.kinds)
        with contextlib.suppress(EnvctlError):  # what is stuck is what must be told
            await self.writer.annotate(self.uid, {PHASE: str(Phase.STUCK)})
        names = ", ".join(s.object for s in self.stuck) or "the namespace"
        return TimedOut(
            f"{self.environment.name} is not gone after {_patience(context.step.timeout):.0f} s: "
            f"{names} is stuck.",
            why=self.stuck[0].controller if self.stuck else "The cluster does not say why.",
            next=self.stuck[0].next if self.stuck else "Run `envctl down` again.",
        )

    async def _gone(self, context: StepContext) -> None:
        """Until the namespace is gone; with force, what still holds it is let go now and then."""
        while True:
            with contextlib.suppress(TimeoutError):  # the step's own comes as a cancellation
                async with asyncio.timeout(forcing.PATIENCE):
                    await until_gone(
                        self.cluster, NAMESPACE, self.environment.namespace, "", self.uid,
                        lambda namespace: context.progress("waiting", _remaining(namespace)),
                    )  # fmt: skip
                    return
            if self.force:
                await forcing.force(context, self.writer, self.uid, self.kinds)
            await self._look_again()

    async def _look_again(self) -> None:
        """Have the namespace's controller look now (kubernetes/pkg/controller/namespace).

        Where a pod was left at its last look, it waits for half of that pod's grace period, though
        the pod is long gone; a change of the namespace brings it back within 5 seconds.
        """
        now = self.cluster.server_time()
        with contextlib.suppress(NotFound, Unavailable, Refused):
            await self.writer.annotate(self.uid, {AWAITED: stamp(now) if now else None})

    async def _volumes_gone(self, context: StepContext) -> None:
        """Volumes of the claims, unless their class keeps them (reclaimPolicy Retain)."""
        for name in self.volumes:
            volume = await self.cluster.get(PV, name)
            if volume is None:
                continue
            if (volume.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Retain":
                context.note("warning", f"PersistentVolume/{name} stays: its class retains volumes")
                continue
            context.progress("waiting", [Waiting(f"PersistentVolume/{name}", "being released")])
            await until_gone(self.cluster, PV, name, "", uid_of(volume))

    async def _outside_gone(self, context: StepContext) -> None:
        """Until nothing is left outside the namespace, for a while; then ``left`` names it."""
        for look in range(int(OUTSIDE / POLL)):
            self.left = await leftovers.outside(self.cluster, self.environment, self.kinds)
            if not self.left:
                return
            context.progress("waiting", [Waiting(name, "being deleted") for name in self.left])
            if self.force and look == int(forcing.PATIENCE / POLL):
                await forcing.force(context, self.writer, self.uid, self.kinds)
            await asyncio.sleep(POLL)


def _patience(timeout: float) -> float:
    """Seconds of a step that everything has to go."""
    return max(1.0, timeout - min(DIAGNOSIS, timeout / 3))


def _remaining(namespace: Obj) -> list[Waiting]:
    found = [
        Waiting(f"Namespace/{namespace['metadata']['name']}", str(c.get("message", "")))
        for kind, c in conditions(namespace).items()
        if kind.startswith("Namespace") and c.get("status") == "True"
    ]
    name = namespace.get("metadata", {}).get("name", "")
    return found or [Waiting(f"Namespace/{name}", "its controller deletes the content")]


def left_behind(
    environment: Environment, left: Sequence[str], held: Sequence[StuckObject] = ()
) -> EnvctlError:
    """The error for what lies outside the namespace and does not go."""
    return EnvctlError(
        f"{environment.name} left {', '.join(left)} behind.",
        why=held[0].controller
        if held
        else "They lie outside the namespace and are still there after their deletion.",
        next=held[0].next
        if held
        else "Run `envctl down` again; if they stay, look at their finalizers.",
    )
