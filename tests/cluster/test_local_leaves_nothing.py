"""However an embedded cluster ends, nothing of it is left on the machine but its folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.node import Envctl, Kubectl, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.xdist_group("local"), pytest.mark.timeout(300)]

NAME = "walls"
PATIENCE = 20.0


@dataclass(frozen=True)
class Machine:
    """What of a cluster could be seen on the machine."""

    mounts: frozenset[str]
    devices: frozenset[str]
    tables: frozenset[str]


def look(folder: Path) -> Machine:
    """Mounts that have to do with a folder, network devices and nftables tables."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    tables = subprocess.run(["nft", "list", "tables"], check=True, capture_output=True, text=True)
    return Machine(
        frozenset(line for line in mounts if str(folder) in line),
        frozenset(path.name for path in Path("/sys/class/net").iterdir()),
        frozenset(tables.stdout.splitlines()),
    )


@contextlib.contextmanager
def pid_namespace(pid: int) -> Iterator[str]:
    """The pid namespace of a process, held open: else the kernel gives its number to the next.

    The next one is a container on the node of the tests that run beside this one.
    """
    descriptor = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
    try:
        yield str(Path(f"/proc/self/fd/{descriptor}").readlink())
    finally:
        os.close(descriptor)


def processes_in(namespace: str) -> list[str]:
    """The processes of a pid namespace, which is held open."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "ns" / "pid").readlink()) == namespace:
                    found.append(entry.name)
            except OSError:
                continue  # it ended while we looked
    return found


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """``envctl local VERB --name walls`` in a folder of the test's own."""
    command = Envctl(cwd=tmp_path)
    env = {"ENVCTL_LOCAL_DIR": str(tmp_path / "clusters")}

    def run(verb: str, *args: str, check: int = 0) -> Any:
        return command("local", verb, "--name", NAME, *args, env=env, check=check, timeout=200)

    yield run
    run("stop", "--delete")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The cluster's folder."""
    return tmp_path / "clusters" / NAME


def supervisor(folder: Path) -> dict[str, Any]:
    """What the supervisor has written."""
    found: dict[str, Any] = json.loads((folder / "status.json").read_text())
    return found


def until(what: str, ask: Callable[[], bool]) -> None:
    """Wait until it is so, or fail saying what was awaited."""
    deadline = time.monotonic() + PATIENCE
    while not ask():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:.0f} s"
        time.sleep(0.05)


@pytest.mark.parametrize("victim", ["pid", "inside"])
def test_a_kill_leaves_nothing(local: Callable[..., Any], folder: Path, victim: str) -> None:
    before = look(folder)
    local("start")
    status = supervisor(folder)
    with pid_namespace(status["inside"]) as namespace:
        assert len(processes_in(namespace)) > 5
        assert look(folder) == before, "a running cluster is not to be seen on the machine either"

        os.kill(status[victim], signal.SIGKILL)
        until("the end of all its processes", lambda: not processes_in(namespace))
    assert look(folder) == before
    assert local("status", "-o", "json").json["state"] == "stopped"
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{status['config']['cgroup']}"))


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A start in progress, whose process 1 is there."""
    env = {"ENVCTL_LOCAL_DIR": str(folder.parent)}
    starting = Envctl().start("local", "start", "--name", NAME, *arguments, env=env)
    until("the beginning", (folder / "status.json").exists)
    until("process 1", lambda: supervisor(folder)["inside"] > 0)
    return starting


def test_a_start_that_is_killed_leaves_nothing_running(
    local: Callable[..., Any], folder: Path
) -> None:
    starting = begun(folder)
    with pid_namespace(supervisor(folder)["inside"]) as namespace:
        starting.send_signal(signal.SIGINT)
        starting.communicate(timeout=60)
        assert starting.returncode == 130
        assert not processes_in(namespace)
    assert local("status", "-o", "json").json["state"] == "stopped"


def test_a_start_goes_on_when_its_command_is_killed(
    local: Callable[..., Any], folder: Path
) -> None:
    starting = begun(folder, "--profile", "control-plane")
    starting.kill()
    starting.communicate(timeout=60)
    found = local("start", "--profile", "control-plane", "-o", "json").json
    assert found["state"] == "running"


def test_data_outlives_a_stop(local: Callable[..., Any], folder: Path) -> None:
    local("start", "--profile", "control-plane", "--nodes-fake", "2")
    found = local("status", "-o", "json").json
    assert (found["nodes"], found["ingress"]) == (2, "")
    kubectl = Kubectl(Node(NAME, Path(found["kubeconfig"]), found["context"], ""))
    kubectl.run("create", "configmap", "kept")
    kubectl.apply(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: simulated}\n"
        "spec: {containers: [{name: c, image: none}]}\n"
    )
    until(
        "a pod on a fake node, which needs no toleration where there is no other",
        lambda: kubectl("get", "pod", "simulated")["status"]["phase"] == "Running",
    )
    local("stop")
    assert local("status", "-o", "json").json["state"] == "stopped"
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{supervisor(folder)['config']['cgroup']}"))
    local("stop")  # once more does no harm

    local("start", "--profile", "control-plane", "--nodes-fake", "1")
    assert local("status", "-o", "json").json["kubeconfig"] == found["kubeconfig"]
    assert kubectl.exists("configmap", "kept")
    assert len(kubectl.items("nodes")) == 1


def test_a_stop_that_deletes_ends_a_start_in_progress(
    local: Callable[..., Any], folder: Path
) -> None:
    starting = begun(folder, "--profile", "control-plane")
    with pid_namespace(supervisor(folder)["inside"]) as namespace:
        assert local("stop", "--delete", "-o", "json").json["state"] == "absent"
        _, said = starting.communicate(timeout=60)
        assert starting.returncode == 1, said
        assert not processes_in(namespace)
    assert not folder.exists()
