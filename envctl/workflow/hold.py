"""What a run knows of the Lease behind its lock: how it last was, since when, and if it is lost.

Whoever takes, renews or gives back the lock does it through this one state, so that there is one
answer to whether the run may write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.model import lease as leases
from envctl.model.environment import SYSTEM_NAMESPACE
from envctl.model.objects import LEASE
from envctl.workflow import lockwords

if TYPE_CHECKING:
    from envctl.errors import EnvctlError
    from envctl.model.environment import Environment
    from envctl.model.objects import Obj
    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster

#: Part of the duration after which a run no longer trusts that the lease is still its own.
TRUST = 0.6
#: Part after which a run that could not renew it writes no more, well before another may take it.
KEEP = 0.8
#: Seconds that one look at the lease may take.
ANSWER = leases.DURATION / 4


@dataclass(slots=True)
class Hold:
    """One run's hold of one Lease; ``renewed`` is on the monotonic clock, before the request."""

    cluster: Cluster
    clock: Clock
    environment: Environment
    run_id: str
    lease: Obj | None = None
    renewed: float = 0.0
    lost: EnvctlError | None = None

    @property
    def name(self) -> str:
        """The Lease's name: the environment's namespace, which is unique in the cluster."""
        return self.environment.namespace

    @property
    def pipeline(self) -> int:
        """The pipeline that the run belongs to; 0 for none."""
        return leases.number(self.environment.pipeline)

    def age(self) -> float:
        """Seconds since the last renewal."""
        return self.clock.monotonic() - self.renewed

    def young(self) -> bool:
        """Whether it was renewed so lately that nobody can have taken it over since."""
        return self.age() <= leases.DURATION * TRUST

    def trusted(self) -> float:
        """Seconds until a run that renews no more must have ceased to write."""
        return self.renewed + leases.DURATION * KEEP - self.clock.monotonic()

    def is_holder(self, lease: Obj | None) -> bool:
        """Whether the lease says that it is this run's."""
        return lease is not None and leases.holder(lease) == self.run_id

    def judge(self, lease: Obj | None) -> None:
        """Take note of a newer look at the lease: still this run's, lost, or asked for."""
        if lease is None or not self.is_holder(lease):
            newest = leases.newest(lease or {})
            if newest > self.pipeline:
                self.lost = lockwords.superseded(self.environment, newest)
            else:
                self.lost = lockwords.taken_over(self.environment)
            return
        if leases.wanted_by(lease) > self.pipeline:
            self.lost = lockwords.superseded(self.environment, leases.wanted_by(lease))
        self.lease = lease

    # Requests

    async def read(self) -> Obj | None:
        """The lease as it is in the cluster."""
        return await self.cluster.get(LEASE, self.name, SYSTEM_NAMESPACE)

    async def write(self, lease: Obj) -> None:
        """Replace the lease; raises Conflict where it is not the one that was read."""
        self.lease = await self.cluster.replace(LEASE, lease)

    async def stamp(self, lease: Obj) -> None:
        """Show others that the holder lives."""
        await self.write({**lease, "spec": {**lease["spec"], "renewTime": self.stamp_of_now()}})

    def mine(self, lease: Obj) -> Obj:
        """The lease once this run has taken it."""
        return leases.held_by(lease, self.environment, self.run_id, self.stamp_of_now())

    def stamp_of_now(self) -> str:
        """The wall clock as Leases have it; for people to read, never compared."""
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
