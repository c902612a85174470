"""Runs one schedule and judges it: what stands at the end, who ended how, and who wrote when."""

from __future__ import annotations

import itertools
import signal
import threading
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tests.faults import race_app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.race_schedule import Actor, Schedule
    from tests.faults.race_world import World, Written
    from tests.faults.zygote import Process, Zygote

#: Seconds that one run may take: eight take turns, one of them stopped for longer than a Lease.
PATIENCE = 240.0
#: Times that a CI's template starts a job again that ended with 75.
RETRIES = 2


@dataclass
class Ended:
    """How the runs of one actor ended; the last code is the one that counts."""

    codes: list[int] = field(default_factory=list)
    stopped: bool = False
    said: str = ""


@dataclass
class Outcome:
    """What came of a race. ``wrong`` is empty where all is as it must be."""

    seed: int
    size: int
    seconds: float
    ended: list[Ended]
    expected: str
    takeovers: int
    late: list[str]
    wrong: list[str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Race:
    """One race on one environment of its own."""

    def __init__(self, world: World, zygote: Zygote, folder: Path, plan: Schedule) -> None:
        self.world, self.zygote, self.plan = world, zygote, plan
        self.project = f"r{plan.seed}-{uuid.uuid4().hex[:6]}"
        self.namespace = f"{self.project}-it"
        self.folder = folder / self.project
        self.ended = [Ended() for _ in plan.actors]

    def run(self) -> Outcome:
        """From what is there before to the verdict."""
        self._prepare()
        began = time.monotonic()
        threads = [
            threading.Thread(target=self._act, args=(i, actor))
            for i, actor in enumerate(self.plan.actors)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        time.sleep(1.0)  # what a run has left behind must get its chance to write
        outcome = self._judged(seconds)
        self._clean()
        return outcome

    # Before and after

    def _prepare(self) -> None:
        for index in range(len(self.plan.actors)):
            self._write(index)
        if self.plan.before == "absent":
            return
        folder = race_app.write(
            self.folder / "before", self.project, self.world.node.context, "before"
        )
        first = self.zygote.start(
            ["up", "--name", "it", "--no-report"], cwd=folder, env=self._env(0, 1)
        )
        assert first.wait(PATIENCE) == 0, first.stderr
        if self.plan.before == "expired":
            done = self.world.kubectl.run(
                "annotate", "namespace", self.namespace, "--overwrite",
                "envctl.dev/expires-at=2020-01-01T00:00:00Z",
                "envctl.dev/last-used-at=2020-01-01T00:00:00Z",
            )  # fmt: skip
            assert done.returncode == 0, done

    def _write(self, index: int) -> Path:
        folder = self.folder / str(index)
        return race_app.write(folder, self.project, self.world.node.context, self._name(index))

    def _name(self, index: int) -> str:
        return f"p{self.plan.actors[index].pipeline or f'hand{index}'}"

    def _clean(self) -> None:
        kubectl = self.world.kubectl
        kubectl.run("delete", "namespace", self.namespace, "--wait=false", "--ignore-not-found")
        kubectl.run("delete", "lease", self.namespace, "-n", "envctl-system", "--ignore-not-found")
        kubectl.run(
            "delete", "priorityclass", "-l", f"envctl.dev/project={self.project}", "--wait=false"
        )
        self.world.forget(self.namespace)

    # Acting

    def _env(self, index: int, pipeline: int) -> dict[str, str]:
        env = {
            "KUBECONFIG": str(self.world.kubeconfigs[index]),
            "ENVCTL_CLUSTER_SCOPED": "PriorityClass",
        }
        if pipeline:
            env |= {
                "GITLAB_CI": "true",
                "CI_PIPELINE_ID": str(pipeline),
                "CI_COMMIT_REF_NAME": "main",
            }
        return env

    def _command(self, actor: Actor) -> list[str]:
        context = ["--context", self.world.node.context, "--project", self.project]
        if actor.verb == "gc":
            return ["gc", *context, "-o", "json"]
        if actor.verb == "down":
            return ["down", *context, "--name", "it", "--no-report", "-o", "json"]
        return ["up", "--name", "it", "--no-report", "-o", "json"]

    def _act(self, index: int, actor: Actor) -> None:
        time.sleep(actor.start)
        ended = self.ended[index]
        for attempt in range(1 + RETRIES):
            first = attempt == 0
            process = self.zygote.start(
                self._command(actor), cwd=self.folder / str(index),
                env=self._env(index, actor.pipeline), skew=actor.skew,
                stop_at=actor.stop_at if first else 0,
            )  # fmt: skip
            if first:
                ended.stopped = self._disturb(process, actor)
            try:
                code = process.wait(PATIENCE)
            except Exception:  # noqa: BLE001 - told as what it is
                process.kill(signal.SIGKILL)
                code = 999
            ended.codes.append(code)
            if code not in (0, 79):
                ended.said = (process.stdout + process.stderr)[-3000:]
            if code != 75:
                return
            time.sleep(0.5)

    def _disturb(self, process: Process, actor: Actor) -> bool:
        if actor.kill:
            time.sleep(actor.kill)
            process.kill(signal.SIGKILL)
            return False
        if not actor.stop:
            return False
        if actor.stop_at:
            while process.running and not process.stopped:
                time.sleep(0.02)
        else:
            time.sleep(actor.stop_after)
            process.kill(signal.SIGSTOP)
        if not process.running:
            return False
        time.sleep(actor.stop)
        process.kill(signal.SIGCONT)
        return True

    # Judging

    def _judged(self, seconds: float) -> Outcome:
        held = self._tenures()
        last = self._last_word(held)
        actor = self.plan.actors[last]
        expected = "" if actor.verb == "down" else self._name(last)
        standing = race_app.standing(self.world.kubectl, self.namespace)
        late = self._late(held)
        wrong = [f"late: {line}" for line in late]
        if standing != race_app.wanted(expected):
            wrong.append(f"stands: {standing}, expected: {race_app.wanted(expected)}")
        wrong += self._codes(last)
        versions = self.world.tenures(self.namespace)
        if versions and versions[-1]:
            wrong.append(f"the lock is still held by {versions[-1]}")
        if not wrong and expected and self._plan(last) != 0:
            wrong.append("the newest run's plan finds something to do")
        return Outcome(
            self.plan.seed, len(self.plan.actors), round(seconds, 1), self.ended,
            expected or "gone", sum(1 for a, b in itertools.pairwise(held) if a[2] > b[1]),
            late, wrong,
        )  # fmt: skip

    def _plan(self, index: int) -> int:
        process = self.zygote.start(
            ["plan", "--name", "it", "--detailed-exitcode"], cwd=self.folder / str(index),
            env=self._env(index, self.plan.actors[index].pipeline),
        )  # fmt: skip
        return process.wait(60)

    def _tenures(self) -> list[tuple[str, str, str]]:
        """Who held the lock, from when until when, by the audit log: (account, from, until).

        Each version of the Lease is one successful write of it, in the same order.
        """
        versions, writes = (
            self.world.tenures(self.namespace),
            self.world.lease_writes(self.namespace),
        )
        assert len(versions) == len(writes), (len(versions), [asdict(w) for w in writes])
        held: list[tuple[str, str, str]] = []
        before = ""
        for holder, write in zip(versions, writes, strict=True):
            if holder != before:
                if before:
                    who, since, _ = held[-1]
                    held[-1] = (who, since, write.done)
                if holder:
                    held.append((write.who, write.received, "9"))
            before = holder
        return held

    def _last_word(self, held: list[tuple[str, str, str]]) -> int:
        """The newest pipeline's run, or one without a number that had the lock after it."""
        newest = self.plan.newest
        order = [int(who.rpartition("-")[2]) for who, _, _ in held]
        after = order[len(order) - order[::-1].index(newest) :] if newest in order else []
        by_hand = [i for i in after if self.plan.actors[i].verb != "gc" and i != newest]
        return by_hand[-1] if by_hand else newest

    def _late(self, held: list[tuple[str, str, str]]) -> list[str]:
        """Writes that were not wholly within their run's time with the lock."""
        return [
            f"{w.who} {w.verb} {w.what} at {w.received} ({w.agent})"
            for w in self.world.writes(self.namespace)
            if w.who.startswith("racer-") and not w.dry and not _within(w, held)
        ]

    def _codes(self, last: int) -> list[str]:
        wrong = []
        for index, (actor, ended) in enumerate(zip(self.plan.actors, self.ended, strict=True)):
            good = {0} if index == last else {0, 79}
            if actor.kill:
                good |= {-signal.SIGKILL}
            if not ended.codes or ended.codes[-1] not in good:
                wrong.append(f"{index} ({actor.verb}) ended with {ended.codes}")
        return wrong


def _within(write: Written, held: list[tuple[str, str, str]]) -> bool:
    return any(
        who == write.who and since <= write.received and write.done <= until
        for who, since, until in held
    )
