"""Runs race each other on one environment: a sample with a fixed seed, and helm by itself.

All of it is ``task races``.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults import race_app
from tests.faults.race_run import Race
from tests.faults.race_schedule import schedule
from tests.until import until

if TYPE_CHECKING:
    from tests.faults.race_world import World
    from tests.faults.zygote import Process, Zygote

pytestmark = pytest.mark.xdist_group("races")
#: Two, four and eight at once; what was late, or stood wrongly, before it was mended.
SEEDS = (21, 44, 56, 1, 3, 60)


def test_the_newest_pipeline_stands_and_nobody_writes_too_late(
    world: World, zygote: Zygote, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(len(SEEDS)) as pool:
        outcomes = list(
            pool.map(lambda seed: Race(world, zygote, tmp_path, schedule(seed)).run(), SEEDS)
        )
    assert {o.seed: o.wrong for o in outcomes if o.wrong} == {}
    assert any(o.takeovers for o in outcomes)


SLOW_HOOK = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: slow
  annotations: {helm.sh/hook: pre-install}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: slow, image: example.org/slow}]
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_helm_does_not_outlive_the_right_to_write(
    world: World, zygote: Zygote, tmp_path: Path, number: int
) -> None:
    """envctl is gone or stands still while its helm waits for a hook; another run takes over."""
    project = f"helm-{number}-{os.getpid()}"
    env = {"KUBECONFIG": str(world.kubeconfigs[0]), "ENVCTL_CLUSTER_SCOPED": "PriorityClass"}
    older = race_app.write(tmp_path / "older", project, world.node.context, "older")
    (older / "chart/templates/slow.yaml").write_text(SLOW_HOOK)
    newer = race_app.write(tmp_path / "newer", project, world.node.context, "newer")
    first = zygote.start(["up", "--name", "it", "--no-report"], cwd=older, env=_job(env, 1))
    until(lambda: world.kubectl.exists("job", "slow", "-n", f"{project}-it"))
    helms = _children(first)
    assert helms
    first.kill(number)
    second = zygote.start(["up", "--name", "it", "--no-report"], cwd=newer, env=_job(env, 2))
    assert second.wait(120) == 0, second.stderr
    assert not [pid for pid in helms if _alive(pid)]
    first.kill(signal.SIGCONT)
    assert first.wait(60) in (79, -signal.SIGKILL), first.stderr
    time.sleep(0.5)
    assert race_app.standing(world.kubectl, f"{project}-it") == race_app.wanted("newer")
    last = zygote.start(
        ["plan", "--name", "it", "--detailed-exitcode"], cwd=newer, env=_job(env, 2)
    )
    assert last.wait(60) == 0, last.stdout


def _job(env: dict[str, str], pipeline: int) -> dict[str, str]:
    return {
        **env, "GITLAB_CI": "true", "CI_PIPELINE_ID": str(pipeline), "CI_COMMIT_REF_NAME": "main",
    }  # fmt: skip


def _alive(pid: int) -> bool:
    """Whether it does anything; who stands still cannot bury its dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _children(process: Process) -> list[int]:
    """Every process below it, those in sessions of their own included."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    queue = list(parents.get(process.pid, []))
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += parents.get(pid, [])
    return found
