"""Helm releases: rendered, installed, upgraded, repaired and uninstalled by Helm itself (3 and 4).

Values travel as files, never as ``--set``: a branch called ``a,image.repository=evil`` must stay a
word. Waiting is ours: Helm's own says only that the condition was not met in time.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from envctl.adapters import tools
from envctl.adapters.retrying import Transient, retrying
from envctl.adapters.sources import chart as charts
from envctl.adapters.sources import objects
from envctl.errors import ConfigError, EnvctlError
from envctl.model import step
from envctl.model.objects import Obj, digest
from envctl.model.spec import Check, Component, HelmSource
from envctl.ports import attempt
from envctl.ports.sources import Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envctl.adapters.kubernetes.connect import Target
    from envctl.model.environment import Environment

#: Revisions that Helm keeps, and so Secrets in the namespace.
HISTORY = 5
RENDER_TIMEOUT = 60.0
_MINIMUM = (3, 12)
_TRANSIENT = (
    "connection refused", "connection reset", "i/o timeout", "tls handshake timeout", "eof",
    "too many requests", "etcdserver", "the server is currently unable", "service unavailable",
    "network is unreachable", "http2: client connection lost",
)  # fmt: skip
_LOCKED = "another operation (install/upgrade/rollback) is in progress"


class HelmReleases:
    """Runs helm through pyhelm3's command, without its shell; see ``envctl.ports.sources``."""

    def __init__(self, target: Target | None, folders: Sequence[Path]) -> None:
        self.target = target
        self.folders = folders
        self._version: tuple[int, int] | None = None

    # Rendering

    async def fingerprint(self, component: Component | Check, environment: Environment) -> str:
        """Digest of chart files, values and reference; no process is started for it."""
        source = _source(component)
        return digest(
            {
                "chart": charts.digest_of(Path(source.chart)) if source.is_folder else source.chart,
                "repository": source.repository,
                "version": source.version,
                "values": [
                    charts.digest_of(v) if isinstance(v, Path) else dict(v) for v in source.values
                ],
                "release": component.name,
                "namespace": environment.namespace,
            }
        )

    async def render(self, component: Component | Check, environment: Environment) -> Rendered:
        """What the chart renders to, hooks apart; raises ConfigError with Helm's own message."""
        source = _source(component)
        with tempfile.TemporaryDirectory(prefix="envctl-") as folder:
            arguments = [
                "template", component.name, *_chart(source),
                "--namespace", environment.namespace, "--include-crds",
                *_values(source, Path(folder)),
            ]  # fmt: skip
            output = await retrying(
                step.HELM, lambda: self._run(arguments, attempt.remaining(RENDER_TIMEOUT))
            )
        found = objects.parse(output, f"the chart of {component.name}")
        hooks = tuple(obj for obj in found if is_hook(obj))
        return Rendered(tuple(obj for obj in found if not is_hook(obj)), hooks)

    # Releasing

    async def deploy(
        self,
        component: Component,
        environment: Environment,
        timeout: float,
        say: Callable[[str], None],
    ) -> tuple[Obj, ...]:
        """Install or upgrade, repairing first what a killed run left; the manifest's objects."""
        await self._repair(component.name, environment.namespace, say)
        source = _source(component)
        with tempfile.TemporaryDirectory(prefix="envctl-") as folder:
            arguments = [
                "upgrade", component.name, *_chart(source), "--install",
                "--namespace", environment.namespace, "--history-max", str(HISTORY),
                "--timeout", f"{max(1, int(timeout))}s", "--output", "json",
                *await self._overrule(), *_values(source, Path(folder)),
            ]  # fmt: skip
            output = await retrying(
                step.HELM, lambda: self._run(arguments, attempt.remaining(timeout + 30))
            )
        release = json.loads(output[output.index(b"{") :])
        found = objects.parse(release.get("manifest") or "", f"the release {component.name}")
        return tuple(found)

    async def uninstall(self, name: str, namespace: str, timeout: float) -> None:
        """Uninstall so that its hooks run; a release that is gone is no error."""
        arguments = [
            "uninstall", name, "--namespace", namespace, "--ignore-not-found",
            "--timeout", f"{max(1, int(timeout))}s",
        ]  # fmt: skip
        await retrying(step.HELM, lambda: self._run(arguments, attempt.remaining(timeout + 15)))

    async def _overrule(self) -> list[str]:
        """Helm 4 applies server-side and stops at fields that a hand has taken: take them back."""
        version = await self.version()
        return ["--force-conflicts", "--server-side=true"] if version >= (4, 0) else []

    async def _repair(self, name: str, namespace: str, say: Callable[[str], None]) -> None:
        """Bring a release that a killed Helm left behind back to where an upgrade can start."""
        history = await self._history(name, namespace)
        if not history:
            return
        status = history[-1]["status"]
        good = [r["revision"] for r in history if r["status"] in ("deployed", "superseded")]
        if status == "uninstalling":
            say(f"release {name} was being uninstalled by a run that ended; finishing that first")
            await self.uninstall(name, namespace, 60)
        elif status.startswith("pending") and good:
            say(f"release {name} was left {status}; rolling back to revision {good[-1]} first")
            await self._run(
                ["rollback", name, str(good[-1]), "--namespace", namespace, "--no-hooks",
                 "--history-max", str(HISTORY)],
                attempt.remaining(120),
            )  # fmt: skip
        elif status.startswith("pending"):
            # Nothing was ever deployed. Uninstalling would delete the claims that the install
            # has made already; a rollback to the revision itself marks it deployed and keeps them.
            say(f"release {name} was left {status}; taking over what it has installed")
            await self._run(
                ["rollback", name, str(history[-1]["revision"]), "--namespace", namespace,
                 "--no-hooks", "--history-max", str(HISTORY)],
                attempt.remaining(120),
            )  # fmt: skip

    async def _history(self, name: str, namespace: str) -> list[dict[str, Any]]:
        try:
            output = await retrying(
                step.HELM,
                lambda: self._run(
                    ["history", name, "--namespace", namespace, "--output", "json"],
                    attempt.remaining(60),
                ),
            )
        except ReleaseMissing:
            return []
        found: list[dict[str, Any]] = json.loads(output)
        return sorted(found, key=lambda revision: int(revision["revision"]))

    # Processes

    async def version(self) -> tuple[int, int]:
        """Helm's major and minor version; raises ConfigError for one that is too old."""
        if self._version is None:
            output = await self._run(["version", "--template", "{{.Version}}"], 30, plain=True)
            match = re.search(rb"v(\d+)\.(\d+)", output)
            self._version = (int(match[1]), int(match[2])) if match else (0, 0)
            if self._version < _MINIMUM:
                raise ConfigError(
                    f"Helm {output.decode(errors='replace').strip()} is too old.",
                    why=f"envctl needs Helm {_MINIMUM[0]}.{_MINIMUM[1]} or newer.",
                    next="Install a newer Helm, or run `envctl local start`, which brings one.",
                )
        return self._version

    async def _run(self, arguments: list[str], timeout: float, *, plain: bool = False) -> bytes:
        helm = tools.require("helm", self.folders, "A component of type helm")
        env: dict[str, str] = {}
        if not plain and self.target is not None and self.target.kubeconfig:
            env["KUBECONFIG"] = self.target.kubeconfig
            arguments = [*arguments, "--kube-context", self.target.context]
        done = await tools.run([helm, *arguments], env=env, timeout=timeout)
        if done.code:
            raise _error(arguments, done.stderr)
        return done.stdout


class ReleaseMissing(EnvctlError):
    """There is no such release."""


def is_hook(obj: Obj) -> bool:
    """Whether Helm runs the object as a hook instead of keeping it in the release."""
    notes = obj.get("metadata", {}).get("annotations") or {}
    return "helm.sh/hook" in notes


def _source(component: Component | Check) -> HelmSource:
    if not isinstance(component.source, HelmSource):
        raise TypeError(component.source)
    return component.source


def _chart(source: HelmSource) -> list[str]:
    found = [source.chart]
    if source.repository:
        found += ["--repo", source.repository]
    if source.version and not source.is_folder:
        found += ["--version", source.version]
    return found


def _values(source: HelmSource, folder: Path) -> list[str]:
    arguments = []
    for index, values in enumerate(source.values):
        path = values if isinstance(values, Path) else folder / f"{index}.yaml"
        if not isinstance(values, Path):
            path.write_text(yaml.safe_dump(dict(values)))
        arguments += ["--values", str(path)]
    return arguments


def _error(arguments: list[str], stderr: str) -> EnvctlError:
    verb, name = arguments[0], arguments[1] if len(arguments) > 1 else ""
    lines = [line for line in stderr.strip().splitlines() if not line.startswith("WARNING")]
    message = " ".join(" ".join(lines).removeprefix("Error: ").split())[:3000] or "nothing"
    lower = message.lower()
    if "release: not found" in lower:
        return ReleaseMissing(f"There is no release {name!r}.")
    if any(word in lower for word in _TRANSIENT) or _LOCKED in lower:
        return Transient(
            f"helm {verb} {name} did not reach its goal.",
            why=f"Helm says: {message}.",
            next="Run the command again.",
        )
    if verb == "template":
        return ConfigError(
            f"The chart of {name!r} does not render.",
            why=f"Helm says: {message}.",
            next=f"Correct the template or the values it names; `helm template {name} CHART` "
            "shows the same.",
        )
    return EnvctlError(
        f"helm {verb} {name} failed.",
        why=f"Helm says: {message}.",
        next="Correct the chart or its values, then run the command again.",
    )
