"""Pods that shout: a gigabyte a minute, a line without an end, bytes that are no text, escapes.

The memory of a run stays as it is, what is shown is bounded, and nothing of it acts on a terminal.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cluster.app import BUSYBOX, deployment, job
from tests.cluster.node import clean_environment
from tests.until import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.app import App

#: One after the other: what shouts takes the processors that the node and envctl run on, and with
#: three of them at once a run could not renew its lock in time, which it then rightly says.
pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("loud")]

#: Peak of resident memory, in MiB, at whatever pace the log comes; 80 of them are Python and the
#: libraries of a run.
MOST_MEMORY = 320
MIB = 1024 * 1024
#: One endless line, then many: 40 MB in the second that the shell takes, more than 1 GB a minute.
SHOUT = (
    "head -c 20000000 /dev/zero | tr '\\0' x; echo; yes 'a line like any other' | head -c 20000000;"
    " printf '\\033]0;owned\\007\\033[2J\\377\\376 no text\\r"
    "\\033[0Ksection_start:1:evil\\r\\033[0Khidden\\n'"
)

LOGS = ("logs", "-o", "logfmt", "--tail", "20000")


@dataclass(frozen=True)
class Ran:
    """How a run ended; ``memory`` is its greatest in MiB."""

    code: int
    memory: float
    output: bytes


def run(app: App, folder: Path, *arguments: str) -> Ran:
    """Run envctl with its output in files, however much that is."""
    out, err = folder / "out", folder / "err"
    command = app.envctl.command(*arguments, "--name", "it")
    env = clean_environment({"PYTHONUTF8": "1"})
    os.chdir(app.folder)
    opened = [(os.POSIX_SPAWN_OPEN, number, str(path), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
              for number, path in ((1, out), (2, err))]  # fmt: skip
    pid = os.posix_spawn(command[0], command, env, file_actions=opened)
    _, status, used = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return Ran(code, used.ru_maxrss / 1024, out.read_bytes() + err.read_bytes())


def assert_harmless(output: bytes) -> None:
    """Nothing that a terminal or GitLab would act upon, and nothing that is not UTF-8."""
    output.decode()
    assert b"\x1b]0;" not in output
    assert b"\x1b[2J" not in output
    assert b"\x1b[0Ksection_start" not in output


@pytest.mark.parametrize("mode", ["logfmt", "json", "text"])
def test_a_job_that_shouts_and_fails(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.chdir(tmp_path)
    app.write(
        {
            "deploy/shout.yaml": job("shout", f"{SHOUT}; echo the end >&2; exit 3"),
            "envctl.yaml": app.config(
                "  - {name: shout, job: deploy/shout.yaml, timeout: 120s}\n", checks=""
            ),
        }
    )
    done = run(app, tmp_path, "up", "-o", mode, "--diagnosis", str(tmp_path / "diagnosis"))
    assert done.code == 1, done.output[-2000:]
    assert b"exit code 3" in done.output
    assert done.memory < MOST_MEMORY
    assert len(done.output) < MIB
    assert_harmless(done.output)
    kept = [path for path in (tmp_path / "diagnosis").rglob("*") if path.is_file()]
    assert kept
    assert sum(path.stat().st_size for path in kept) < 16 * MIB


def test_logs_of_a_pod_that_shouts(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shouting = deployment("loud", BUSYBOX, command=f"{SHOUT}; while :; do echo over; sleep 1; done")
    app.write(
        {
            "deploy/loud.yaml": shouting,
            "envctl.yaml": app.config(
                "  - {name: loud, manifests: [deploy/loud.yaml], timeout: 90s}\n", checks=""
            ),
        }
    )
    assert run(app, tmp_path, "up", "-o", "logfmt").code == 0
    # A kubelet gives what was said since it rotated the file: maybe all, maybe little.
    done = until(lambda: run(app, tmp_path, *LOGS), lambda done: b"over" in done.output)
    assert done.code == 0
    assert done.memory < MOST_MEMORY
    assert_harmless(done.output)
