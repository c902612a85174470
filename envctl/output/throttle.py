"""Which progress is worth a line: watches report many times a second, a log is read by people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model.events import StepProgress

if TYPE_CHECKING:
    from envctl.model.events import Event

#: Seconds between two lines of one step, when something moved.
QUICK = 1.0
#: Seconds between two lines of one step, when nothing moved: the sign of life.
SLOW = 15.0


class Throttle:
    """Lets through what must be seen, and of each step's progress only as much as says something.

    Only ``StepProgress`` is ever held back; the step's end is never, so nothing is lost by it.
    """

    def __init__(self, quick: float = QUICK, slow: float = SLOW) -> None:
        self._quick = quick
        self._slow = slow
        self._last: dict[str, StepProgress] = {}

    def __call__(self, event: Event) -> bool:
        """Whether to show ``event``."""
        if not isinstance(event, StepProgress):
            return True
        last = self._last.get(event.step.name)
        if last is not None and event.attempt == last.attempt:
            moved = _told(event) != _told(last)
            if event.elapsed - last.elapsed < (self._quick if moved else self._slow):
                return False
        self._last[event.step.name] = event
        return True


def _told(event: StepProgress) -> tuple[object, ...]:
    return (event.doing, event.waiting, event.ready, event.total)
