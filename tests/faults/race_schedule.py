"""Which runs race each other, and how: a pure function of a seed; and what must stand at the end.

What "newest" means, as the tests hold envctl to it:

- Of runs with a pipeline number, the one with the highest number is the newest, whatever the order
  in which they began, and whether it is an ``up`` or a ``down``. What it says stands at the end.
- ``gc`` has no number. It takes the lock when it is free and judges what it finds then: what a
  pipeline has just used is not expired, so after the newest pipeline's ``up`` it keeps, and before
  it may delete, and the ``up`` makes it anew.
- A person at a laptop has no number either, and overtakes nobody: it counts at the moment at which
  it gets the lock. Where that is after the newest pipeline was done, it is the person's word that
  stands.
- Exit code 75 is "try again", and the CI templates do exactly that: so does the race. A pipeline's
  run gets it where a run without a number has taken its lock over while it was stopped.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any

SIZES = (2, 4, 8)
#: Seconds by which a clock is wrong.
SKEWS = (-3600.0, 0.0, 3600.0)
#: Seconds of a stop: longer than a Lease is good for (15 s).
STOP = (17.0, 20.0)


@dataclass(frozen=True)
class Actor:
    """One run. ``pipeline`` 0 is none. ``stop`` is the seconds of its SIGSTOP, 0 for none.

    It comes ``stop_after`` seconds after the start, or in front of the write ``stop_at``; ``kill``
    is seconds after the start, 0 for none.
    """

    verb: str
    pipeline: int
    start: float
    skew: float
    stop: float = 0.0
    stop_after: float = 0.0
    stop_at: int = 0
    kill: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """A race. ``before`` is what is there when it begins: nothing, an environment, an old one."""

    seed: int
    before: str
    actors: tuple[Actor, ...]

    @property
    def newest(self) -> int:
        """The index of the newest pipeline's run."""
        return max(range(len(self.actors)), key=lambda i: self.actors[i].pipeline)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def schedule(seed: int) -> Schedule:
    """The race of this seed."""
    chance = random.Random(seed)
    size = SIZES[seed % len(SIZES)]
    before = chance.choice(("absent", "present", "expired"))
    numbers = chance.sample(range(10, 10 + 3 * size), size)
    actors = [_actor(chance, numbers[i], before) for i in range(size)]
    # Not all of them may be without a number: somebody must be the newest.
    actors[0] = _replace(actors[0], verb=chance.choice(("up", "up", "down")), pipeline=numbers[0])
    stopped = chance.randrange(size)
    actors[stopped] = _stopped(chance, actors[stopped])
    others = [i for i in range(size) if i != stopped]
    if size > 2 and chance.random() < 0.5:
        killed = chance.choice(others)
        actors[killed] = _replace(actors[killed], kill=chance.uniform(0.2, 2.5))
    made = Schedule(seed, before, tuple(actors))
    if made.actors[made.newest].kill:  # a newest run that is dead says nothing any more
        actors[made.newest] = _replace(made.actors[made.newest], kill=0.0)
    return Schedule(seed, before, tuple(actors))


def _actor(chance: random.Random, number: int, before: str) -> Actor:
    verb = chance.choices(("up", "down", "gc", "by hand"), (55, 20, 15 if before else 0, 10))[0]
    pipeline = 0 if verb in ("gc", "by hand") else number
    if verb == "by hand":
        verb = chance.choice(("up", "down"))
    return Actor(verb, pipeline, round(chance.uniform(0, 3), 2), chance.choice(SKEWS))


def _stopped(chance: random.Random, actor: Actor) -> Actor:
    seconds = round(chance.uniform(*STOP), 1)
    if actor.verb != "gc" and chance.random() < 0.5:
        return _replace(actor, stop=seconds, stop_at=chance.randint(1, 9))
    return _replace(actor, stop=seconds, stop_after=round(chance.uniform(0.2, 1.8), 2))


def _replace(actor: Actor, **changes: Any) -> Actor:
    return Actor(**{**asdict(actor), **changes})
