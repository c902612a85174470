"""Runs commands in turn and says what each cost: seconds, processor seconds, memory.

Contestants alternate (envctl, opponent, envctl, opponent ...), so that a busy minute of the
machine falls on all of them, and the ratio is made of each pair before the median is taken.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from envctl.errors import EXIT_RETRY
from tests.cluster.node import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")
_SPAWN = Path(__file__).with_name("spawn.py")
#: Seconds after which a command is taken to hang.
HANGS = 1800.0


@dataclass(frozen=True)
class Ran:
    """One run of a command, everything that it has started and waited for included.

    ``wall`` and ``cpu`` are seconds, ``rss`` the MiB of its largest process at its largest, and
    ``ended`` a moment on ``time.monotonic``.
    """

    wall: float
    cpu: float
    rss: float
    code: int
    ended: float
    stdout: str
    stderr: str


class Failed(Exception):
    """A command that is measured has to work."""

    def __init__(self, command: Sequence[str], ran: Ran) -> None:
        words = " ".join(command)
        super().__init__(f"{words}: exit code {ran.code}\n{ran.stdout}\n{ran.stderr}")
        self.code = ran.code


def run(
    command: Sequence[str],
    *,
    kubeconfig: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    codes: Sequence[int] = (0,),
) -> Ran:
    """Run a command to its end; raises Failed where it ends otherwise than with ``codes``."""
    own = {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
    with tempfile.TemporaryDirectory(prefix="envctl-bench-") as folder:
        told = Path(folder) / "cost"
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(_SPAWN), str(told), *command],
            cwd=cwd, env=clean_environment({**own, **(env or {})}), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=HANGS, check=False,
        )  # fmt: skip
        if not told.exists():
            raise RuntimeError(f"{command[0]} could not be started: {done.stderr}")
        cost = json.loads(told.read_text())
    ran = Ran(**cost, stdout=done.stdout, stderr=done.stderr)
    if ran.code not in codes:
        raise Failed(command, ran)
    return ran


@dataclass(frozen=True)
class Figure:
    """What came of one contestant's rounds: of ``value`` in the row's own unit."""

    median: float
    least: float
    most: float
    rounds: int
    cpu: float = 0.0
    rss: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float], runs: Sequence[Ran] = ()) -> Figure:
        """Of the values of all rounds; processor and memory where whole commands were run."""
        return cls(
            statistics.median(values), min(values), max(values), len(values),
            statistics.median(ran.cpu for ran in runs) if runs else 0.0,
            max((ran.rss for ran in runs), default=0.0),
        )  # fmt: skip


@dataclass(frozen=True)
class Paired:
    """The rounds of all contestants, in the order in which they took turns."""

    values: dict[str, list[float]]
    runs: dict[str, list[Ran]]

    def figure(self, name: str) -> Figure:
        """One contestant's figure."""
        return Figure.of(self.values[name], self.runs[name])

    def ratio(self, other: str, name: str = "envctl") -> float:
        """How many times as long ``other`` took as ``name``: the median of the pairs' ratios."""
        pairs = zip(self.values[other], self.values[name], strict=True)
        return statistics.median(a / b for a, b in pairs)


def patient(once: Callable[[], T]) -> T:
    """What is measured; once more where envctl says to try again, as a pipeline would."""
    try:
        return once()
    except Failed as error:
        if error.code != EXIT_RETRY:
            raise
        print(f"── measured again: {error}", file=sys.stderr, flush=True)
        return once()


def paired(rounds: int, contestants: Mapping[str, Callable[[int], Ran]]) -> Paired:
    """Let the contestants take turns; each is called with the round's number.

    A round begins with another contestant than the one before, as what comes first may find the
    server's caches cold.
    """
    names = list(contestants)
    runs: dict[str, list[Ran]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            runs[name].append(patient(partial(contestants[name], number)))
    values = {name: [ran.wall for ran in found] for name, found in runs.items()}
    return Paired(values, runs)
