"""The two that are compared: envctl, and a shell script of helm commands, on the same charts."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tests.cluster.node import clean_environment, tool
from tests.faults import application
from tests.faults.forks import Run, Zygote

if TYPE_CHECKING:
    from pathlib import Path

PAST = "2020-01-01T00:00:00Z"


class Commands(Protocol):
    """How a tool is run. ``stages`` are the lives of an environment, verb by verb."""

    helm: str
    name: str
    stages: tuple[tuple[str, ...], ...]

    def namespace(self, project: str) -> str: ...

    async def start(
        self, verb: str, project: str, folder: Path, kubeconfig: Path, number: int
    ) -> Run: ...


@dataclass
class Envctl:
    """envctl with one of the two Helms."""

    zygote: Zygote
    context: str
    helm: str = "helm"
    stages = (
        ("create", "deploy", "change", "down"), ("up", "change", "gc"),
        ("create", "deploy", "change", "gc"), ("up", "change", "down"),
    )  # fmt: skip

    @property
    def name(self) -> str:
        return f"envctl, {self.helm}"

    def namespace(self, project: str) -> str:
        return f"{project}-it"

    async def start(
        self, verb: str, project: str, folder: Path, kubeconfig: Path, number: int
    ) -> Run:
        note = "two" if verb == "change" else "one"
        if verb in ("create", "up", "change"):
            await asyncio.to_thread(application.write, folder, project, self.context, note)
        argv = ["up" if verb == "change" else verb, "--project", project, "--context", self.context]
        argv += ["-o", "json"] if verb == "gc" else ["--name", "it", "-o", "json"]
        env = clean_environment(
            {"KUBECONFIG": str(kubeconfig), "ENVCTL_HELM": tool(self.helm),
             "ENVCTL_KUSTOMIZE": tool("kustomize")}
        )  # fmt: skip
        out, err = folder / f"{number}.out", folder / f"{number}.err"
        return await self.zygote.start(argv, env, folder, out, err)


@dataclass
class Shell:
    """What a pipeline's script would do with Helm alone."""

    helm: str = "helm"
    stages = (("install", "upgrade", "uninstall"),)

    @property
    def name(self) -> str:
        return f"shell, {self.helm}"

    def namespace(self, project: str) -> str:
        return project

    async def start(
        self, verb: str, project: str, folder: Path, kubeconfig: Path, number: int
    ) -> Run:
        note = "two" if verb == "upgrade" else "one"
        if verb != "uninstall":
            await asyncio.to_thread(application.write, folder, project, "none", note)
        helm = tool(self.helm)
        lines = [
            f"{helm} uninstall {name} -n {project} --ignore-not-found --timeout 90s"
            if verb == "uninstall"
            else f"{helm} upgrade --install {name} ./{name} -n {project} --create-namespace "
            f"--set note={note} --timeout 90s"
            for name in ("db", "cache")
        ]
        out, err = folder / f"{number}.out", folder / f"{number}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                "sh", "-ec", "\n".join(lines), cwd=folder, stdout=stdout, stderr=stderr,
                stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
                env=clean_environment({"KUBECONFIG": str(kubeconfig)}),
            )  # fmt: skip
        return Script(process.pid, asyncio.ensure_future(process.wait()), out, err)


class Script(Run):
    """A signal to a job's script is one to its whole process group."""

    def kill(self, number: int) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return
