"""The Kubernetes node that the cluster tests run on, and what drives it: envctl and kubectl.

The tests use the real thing in both places: a real node (the embedded one, or the one that
``ENVCTL_TEST_KUBECONFIG`` names) and the real command line in a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envctl.adapters.local.lookup import tool_folders

NODE_NAME = os.environ.get("ENVCTL_TEST_NODE", "test")

# What a CI runner or a developer's shell may have set, and what would make a test's outcome
# depend on where it runs.
_FOREIGN_PREFIXES = ("CI_", "GITLAB_", "GITHUB_", "GITEA_", "ENVCTL_", "HELM_", "KUBE")
# Without its compiled modules every `envctl` of a test would compile them anew: half its time.
_FOREIGN_NAMES = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONDONTWRITEBYTECODE")
# Where things are cached and how they are built: the embedded node needs these as they are.
_KEPT = ("ENVCTL_CACHE_DIR", "ENVCTL_LOCAL_DIR", "ENVCTL_TEST_NODE")


@dataclass(frozen=True)
class Node:
    """A running cluster, as the tests need to know it."""

    name: str
    kubeconfig: Path
    context: str
    ingress: str
    """Base URL of the ingress controller; empty if the cluster has none."""


@dataclass(frozen=True)
class Finished:
    """How one run of a command ended."""

    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def json(self) -> Any:
        """The one JSON document on stdout; fails, with both streams, if there is none."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"no JSON document on stdout\n{self}") from error

    def __str__(self) -> str:
        said = (self.stderr.strip() or self.stdout.strip()).splitlines() or [""]
        return (  # the first line is all that a summary of failures shows
            f"exit code {self.returncode} after {self.seconds:.1f} s, {said[-1][-300:]!r}\n"
            f"$ {' '.join(self.args)}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )


def clean_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what CI and the user's shell have set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not (name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN_NAMES)
    }
    return kept | (extra or {})


class Envctl:
    """The installed ``envctl`` command, pointed at one node."""

    def __init__(self, kubeconfig: Path | None = None, cwd: Path | None = None) -> None:
        # No test but those of settling itself waits for containers that nobody probes.
        self._environment = {"ENVCTL_SETTLE": "0s"}
        if kubeconfig:
            self._environment["KUBECONFIG"] = str(kubeconfig)
        self._cwd = cwd

    def command(self, *args: str) -> list[str]:
        """The argument list of a call, for tests that start the process themselves."""
        return [str(Path(sys.executable).with_name("envctl")), *map(str, args)]

    def __call__(
        self,
        *args: str,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        stdin: str | None = None,
        timeout: float = 240,
        check: int | None = None,
    ) -> Finished:
        """Run it to its end; with ``check``, assert that exit code."""
        began = time.monotonic()
        done = subprocess.run(
            self.command(*args),
            cwd=cwd or self._cwd,
            env=clean_environment(self._environment | (env or {})),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        finished = Finished(
            ("envctl", *map(str, args)),
            done.returncode,
            done.stdout,
            done.stderr,
            time.monotonic() - began,
        )
        if check is not None:
            assert finished.returncode == check, str(finished)
        return finished

    def start(
        self, *args: str, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start it and return at once, in a session of its own: for tests that kill it."""
        return subprocess.Popen(
            self.command(*args),
            cwd=cwd or self._cwd,
            env=clean_environment(self._environment | (env or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


class Kubectl:
    """kubectl, pointed at one node; it answers with what the API server said, parsed."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def run(self, *args: str, stdin: str | None = None, timeout: float = 120) -> Finished:
        """Run it to its end, whatever it says."""
        began = time.monotonic()
        done = subprocess.run(
            [*kubectl_command(), "--context", self._node.context, *map(str, args)],
            env=clean_environment({"KUBECONFIG": str(self._node.kubeconfig)}),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        seconds = time.monotonic() - began
        return Finished(
            ("kubectl", *map(str, args)), done.returncode, done.stdout, done.stderr, seconds
        )

    def __call__(self, *args: str, stdin: str | None = None, timeout: float = 120) -> Any:
        """Run it with ``-o json`` and return the document; the command must succeed."""
        finished = self.run(*args, "-o", "json", stdin=stdin, timeout=timeout)
        assert finished.returncode == 0, str(finished)
        return finished.json if finished.stdout.strip() else None

    def items(self, *args: str) -> list[dict[str, Any]]:
        """What ``kubectl get`` of a kind, or of several, lists."""
        items: list[dict[str, Any]] = self("get", *args)["items"]
        return items

    def exists(self, *args: str) -> bool:
        """Whether ``kubectl get`` finds the named object; any other failure is one."""
        finished = self.run("get", *args, "--ignore-not-found", "-o", "name")
        assert finished.returncode == 0, str(finished)
        return bool(finished.stdout.strip())

    def apply(self, manifest: str, *args: str) -> None:
        """Apply a manifest given as text."""
        finished = self.run("apply", "-f", "-", *args, stdin=manifest)
        assert finished.returncode == 0, str(finished)


def kubectl_command() -> list[str]:
    """The kubectl that was built with the embedded node, else the one on PATH."""
    return [tool("kubectl")]


def tool(name: str) -> str:
    """A tool that was built with the embedded node (kubectl, helm), else the one on PATH."""
    folders = os.pathsep.join([*map(str, tool_folders()), os.environ.get("PATH", "")])
    found = shutil.which(name, path=folders)
    if found is None:
        raise FileNotFoundError(f"no {name}: start the embedded node once, or install it")
    return found


def named_by_environment() -> Node | None:
    """The cluster that ``ENVCTL_TEST_KUBECONFIG`` names, if it names one."""
    kubeconfig = os.environ.get("ENVCTL_TEST_KUBECONFIG")
    if not kubeconfig:
        return None
    return Node(
        name="",
        kubeconfig=Path(kubeconfig),
        context=os.environ.get("ENVCTL_TEST_CONTEXT", "envctl-local"),
        ingress=os.environ.get("ENVCTL_TEST_INGRESS", ""),
    )


def running() -> Node | None:
    """The embedded node of the tests, if it runs."""
    status = Envctl()("local", "status", "--name", NODE_NAME, "-o", "json")
    if status.returncode != 0 or status.json["state"] != "running":
        return None
    found = status.json
    return Node(found["name"], Path(found["kubeconfig"]), found["context"], found["ingress"])


def start() -> None:
    """Start the embedded node of the tests; what it prints goes where this process's output goes.

    The first start on a machine compiles Kubernetes, which takes minutes. What an earlier run that
    was killed has left in it is deleted first.
    """
    stop()
    subprocess.run(
        Envctl().command("local", "start", "--name", NODE_NAME),
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=3600,
    )


def found_or_started() -> Node:
    """The node of the tests, for a command that needs one whether it runs or not."""
    found = named_by_environment() or running()
    if found is None:
        start()
        found = running()
    assert found is not None, "the node has started and does not run"
    return found


def stop() -> None:
    """Stop the embedded node of the tests and delete its data: every run starts from nothing."""
    Envctl()("local", "stop", "--name", NODE_NAME, "--delete", check=0)
