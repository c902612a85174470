"""What is fuzzed: each target takes any bytes, and may raise an EnvctlError and nothing else.

A target is a function and the seeds that it starts from. What it asserts holds for every input:
an answer is bounded, stays on its line, and names what Kubernetes would take.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError
from tests.fuzz import (
    targets_config,
    targets_numbers,
    targets_objects,
    targets_outside,
    targets_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Target:
    """One entry into envctl for what others have written."""

    name: str
    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...] = ()

    def __call__(self, data: bytes) -> None:
        """Give it ``data``; raises whatever is not an error that a user is meant to see."""
        with contextlib.suppress(EnvctlError):
            self.run(data)


TARGETS = {
    name: Target(name, run, seeds)
    for module in (targets_config, targets_objects, targets_numbers, targets_text, targets_outside)
    for name, (run, seeds) in module.TARGETS.items()
}
