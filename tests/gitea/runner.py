"""A runner of the tests: registers with Gitea, takes jobs and runs their steps on this machine.

It speaks the protocol of Gitea's own runner (Connect, as JSON), so that Gitea decides which event
makes which job, which secrets it gets and what waits for what. Where Gitea's runner would start the
job's container, the steps run in the job's folder, with the test's programs on PATH.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml

from tests.cluster.node import clean_environment, tool
from tests.gitea.expressions import as_text, holds, insert
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.gitea.server import Gitea

_RESULTS = {"success": "RESULT_SUCCESS", "failure": "RESULT_FAILURE", "skipped": "RESULT_SKIPPED"}
#: A step may take longer than this only by hanging.
_STEP_TIMEOUT = 240


@dataclass
class Ran:
    """How a job ended: ``success``, ``failure`` or ``skipped``, and what its steps said."""

    result: str
    event: dict[str, Any]
    secrets: dict[str, str]
    log: str = ""
    codes: dict[str, int] = field(default_factory=dict)

    def check(self, result: str) -> Ran:
        """Itself, if it ended so."""
        assert self.result == result, f"{self.result}: {self.codes}\n{self.log}"
        return self


class Runner:
    """One registered runner; ``folder`` is where its jobs work."""

    def __init__(self, gitea: Gitea, folder: Path) -> None:
        self._url = f"{gitea.url}/api/actions/runner.v1.RunnerService"
        self._headers: dict[str, str] = {}
        self._folder = folder
        made = gitea.api("POST", "admin/actions/runners/registration-token")
        registered = self._call(
            "Register",
            {"name": "tests", "token": made["token"], "labels": ["ubuntu-latest"], "version": "1"},
        )["runner"]
        self._headers = {"x-runner-uuid": registered["uuid"], "x-runner-token": registered["token"]}
        self._call("Declare", {"version": "1", "labels": ["ubuntu-latest"]})

    def take(self) -> dict[str, Any]:
        """The next job that Gitea has to give; waits for it."""
        return until(self.offered, seconds=30) or {}

    def offered(self) -> dict[str, Any] | None:
        """The next job, if there is one."""
        task: dict[str, Any] | None = self._call("FetchTask", {"tasksVersion": "0"}).get("task")
        return task

    def was_cancelled(self, task: dict[str, Any]) -> bool:
        """Whether Gitea has ended a job that is not finished; its runner learns it by asking."""
        answer = self._call("UpdateTask", {"state": {"id": task["id"]}})
        return bool(answer["state"].get("result") == "RESULT_CANCELLED")

    def run(
        self,
        task: dict[str, Any] | None = None,
        *,
        env: Mapping[str, str] | None = None,
        kill_when: Callable[[], bool] | None = None,
    ) -> Ran:
        """Run a job, the next by default, and tell Gitea how it ended.

        ``env`` is what the machine itself has set. ``kill_when`` is asked while a step runs: once
        it says yes, the step's processes are killed, as by a machine that is switched off.
        """
        task = task or self.take()
        job = _Job(task, self._folder, dict(env or {}), kill_when)
        ran = job.run()
        result = _RESULTS[ran.result]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._call("UpdateLog", {"taskId": task["id"], "index": "0", "noMore": True, "rows": [
            {"time": now, "content": line} for line in ran.log.splitlines() or [""]]})  # fmt: skip
        self._call("UpdateTask", {"state": {
            "id": task["id"], "result": result, "startedAt": now, "stoppedAt": now}})  # fmt: skip
        return ran

    def _call(self, method: str, message: dict[str, Any]) -> Any:
        answer = httpx.post(
            f"{self._url}/{method}", json=message, headers=self._headers, timeout=60
        )
        assert answer.is_success, f"{method}: {answer.status_code} {answer.text}"
        return answer.json()


class _Job:
    """One job on its way through its steps."""

    def __init__(
        self,
        task: dict[str, Any],
        folder: Path,
        machine: dict[str, str],
        kill_when: Callable[[], bool] | None,
    ) -> None:
        workflow = yaml.safe_load(base64.b64decode(task["workflowPayload"]))
        (self._job,) = workflow["jobs"].values()
        github = task["context"]
        self._kill_when = kill_when
        self._work = Path(tempfile.mkdtemp(dir=folder))
        self._env_file = self._work / "env"
        self._env_file.touch()
        (self._work / "checkout").mkdir()
        self._contexts = {"github": github, "secrets": task.get("secrets", {}),
                          "vars": task.get("vars", {})}  # fmt: skip
        self._env: dict[str, str] = {}
        # Each level sees the contexts that GitHub offers there: none of them sees ``env``.
        for level in (workflow, self._job):
            self._env |= _inserted(level.get("env"), self._contexts)
        self._machine = _variables(github, self._work, self._env_file) | machine
        self.ran = Ran("success", github["event"], self._contexts["secrets"])

    def run(self) -> Ran:
        without_secrets = {k: v for k, v in self._contexts.items() if k != "secrets"}
        if not holds(self._job.get("if"), without_secrets):
            self.ran.result = "skipped"
            return self.ran
        for step in self._job["steps"]:
            env = {**self._env, **_assignments(self._env_file)}
            failed = self.ran.result == "failure"
            if holds(step.get("if"), {**without_secrets, "env": env}, failed=failed):
                code = self._step(step, env)
                self.ran.codes[step["name"]] = code
                if code:
                    self.ran.result = "failure"
        return self.ran

    def _step(self, step: dict[str, Any], env: dict[str, str]) -> int:
        contexts = {**self._contexts, "env": env}
        env = {**self._machine, **env, **_inserted(step.get("env"), contexts)}
        script = self._work / "script"
        script.write_text(insert(step["run"], contexts))
        self.ran.log += f"── {step['name']}\n"
        with (self._work / "log").open("w+") as log:
            process = subprocess.Popen(
                ["bash", "-e", str(script)], cwd=self._work / "checkout", env=env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            try:
                until(lambda: self._ended(process), seconds=_STEP_TIMEOUT)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            log.seek(0)
            self.ran.log += log.read()
        return process.returncode

    def _ended(self, process: subprocess.Popen[bytes]) -> bool:
        return process.poll() is not None or bool(self._kill_when and self._kill_when())


def _inserted(env: dict[str, Any] | None, contexts: Mapping[str, Any]) -> dict[str, str]:
    return {name: insert(value, contexts) for name, value in (env or {}).items()}


def _assignments(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def _variables(github: dict[str, Any], work: Path, env_file: Path) -> dict[str, str]:
    """What a runner sets for every step."""
    names = ("actor", "api_url", "base_ref", "event_name", "head_ref", "ref", "ref_name",
             "repository", "run_id", "server_url", "sha")  # fmt: skip
    temp = work / "temp"
    temp.mkdir()
    programs = [Path(sys.executable).parent, Path(tool("helm")).parent]
    return {
        **clean_environment(),
        **{f"GITHUB_{name.upper()}": as_text(github.get(name)) for name in names},
        "CI": "true", "GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true",
        "GITHUB_ENV": str(env_file), "TMPDIR": str(temp),
        # envctl finds the embedded clusters of whoever runs it; a runner has none.
        "HOME": str(temp), "ENVCTL_LOCAL_DIR": str(temp),
        "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
    }  # fmt: skip
