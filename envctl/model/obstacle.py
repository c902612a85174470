"""What stands in the way of an object and is no container's fault, and how long it may.

Some of it is final: an admission rule refuses a pod today as it will tomorrow. Some of it heals
without anybody's help: a quota frees, an autoscaler brings a node, a volume appears. That gets a
time of its own, in which nothing is called broken, and after which nobody waits for a step's
timeout any more.
"""

from __future__ import annotations

from dataclasses import dataclass

#: At once: nothing that happens by itself will change it.
FINAL = 0.0
#: What another object of the same environment may bring a moment later. Controllers try again
#: within the first seconds, so that it has healed by then if it does.
MISSING = 10.0
#: A controller that has been refused by a quota tries again at about 21 s, then at 41 s.
QUOTA = 90.0
#: A webhook whose own pod restarts or is being moved.
WEBHOOK = 60.0
#: A PersistentVolume that is made by hand or by a slow provisioner; bound 3 to 15 s after it is
#: there.
VOLUME = 60.0
#: An autoscaler speaks within its first round (10 s by default) and brings a node in one to two
#: minutes. Once it has spoken, the step's own timeout counts.
NODE = 120.0
#: A cloud's ingress controller gives an address to what no class names, in a minute or two.
ADDRESS = 120.0
#: By then a watch has told what there is.
WATCH = 3.0
#: An operator must have made the pods that a Service selects; they need not be ready by then.
OPERATOR = 60.0


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an object does not get ready.

    ``patience`` is in seconds, from when it was first seen; None is as long as the step lasts.
    ``object`` names who is to blame where that is not the object itself.
    """

    reason: str
    message: str
    next: str = ""
    patience: float | None = None
    object: str = ""

    def words(self) -> str:
        """For a line of progress: what it is, and until when that is borne."""
        if not self.patience:
            return self.message
        return f"{self.message} (given up after {self.patience:.0f} s)"
