"""Helm releases: rendered, installed, upgraded, repaired and uninstalled by Helm itself (3 and 4).

Values travel as files, never as ``--set``: a branch called ``a,image.repository=evil`` must stay a
word. Waiting is ours: Helm's own says only that the condition was not met in time.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from envctl.adapters.sources import chart as charts
from envctl.adapters.sources import objects
from envctl.model.objects import Obj, digest
from envctl.model.spec import Check, Component, HelmSource
from envctl.ports.sources import Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envctl.adapters.kubernetes.connect import Target
    from envctl.adapters.sources.helm_command import Helm
    from envctl.model.environment import Environment

#: A registry on the machine itself speaks plain HTTP, as Docker takes it to; no other may.
_LOOPBACK = re.compile(r"oci://(localhost|127\.0\.0\.1)(:\d+)?/")
#: Seconds that finishing somebody else's uninstall may take.
REPAIR_TIMEOUT = 60.0


class HelmReleases:
    """Runs helm through pyhelm3's command, without its shell; see ``envctl.ports.sources``."""

    def __init__(self, target: Target | None, folders: Sequence[Path]) -> None:
        self.target = target
        self.folders = folders
        self._helm: Helm | None = None

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
        if source.is_folder:
            charts.refuse_links(Path(source.chart))
        await self.helm.parsed_version()  # says so where it is too old, before it says nonsense
        with tempfile.TemporaryDirectory(prefix="envctl-") as folder:
            arguments = [
                "template", component.name, *_chart(source),
                "--namespace", environment.namespace, "--include-crds",
                *_values(source, Path(folder)),
            ]  # fmt: skip
            output = await self.helm.run(arguments)
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
                "--namespace", environment.namespace, "--history-max", "5",
                "--timeout", f"{max(1, int(timeout))}s", "--output", "json",
                *await self._overrule(), *_values(source, Path(folder)),
            ]  # fmt: skip
            output = await self.helm.run(arguments)
        release = json.loads(output[output.index(b"{") :])
        found = objects.parse(release.get("manifest") or "", f"the release {component.name}")
        return tuple(found)

    async def uninstall(self, name: str, namespace: str, timeout: float) -> None:
        """Uninstall so that its hooks run; a release that is gone is no error."""
        from envctl.adapters.sources.helm_command import ReleaseMissing

        with contextlib.suppress(ReleaseMissing):
            await self.helm.uninstall(name, namespace=namespace, timeout=f"{max(1, int(timeout))}s")

    async def _overrule(self) -> list[str]:
        """Helm 4 applies server-side and stops at fields that a hand has taken: take them back."""
        version = await self.helm.parsed_version()
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
            await self.uninstall(name, namespace, REPAIR_TIMEOUT)
        elif status.startswith("pending") and good:
            say(f"release {name} was left {status}; rolling back to revision {good[-1]} first")
            await self.helm.rollback(name, good[-1], namespace=namespace, no_hooks=True)
        elif status.startswith("pending"):
            # Nothing was ever deployed. Uninstalling would delete the claims that the install has
            # made already; a rollback to the revision itself marks it deployed and keeps them.
            say(f"release {name} was left {status}; taking over what it has installed")
            revision = history[-1]["revision"]
            await self.helm.rollback(name, revision, namespace=namespace, no_hooks=True)

    async def _history(self, name: str, namespace: str) -> list[dict[str, Any]]:
        from envctl.adapters.sources.helm_command import ReleaseMissing

        try:
            found = list(await self.helm.history(name, namespace=namespace))
        except ReleaseMissing:
            return []
        return sorted(found, key=lambda revision: int(revision["revision"]))

    @property
    def helm(self) -> Helm:
        """The command, found when it is first needed; raises ConfigError where helm is missing."""
        if self._helm is None:
            from envctl.adapters.sources.helm_command import Helm

            self._helm = Helm(self.target, self.folders)
        return self._helm


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
    if _LOOPBACK.match(source.chart):
        found.append("--plain-http")
    return found


def _values(source: HelmSource, folder: Path) -> list[str]:
    arguments = []
    for index, values in enumerate(source.values):
        path = values if isinstance(values, Path) else folder / f"{index}.yaml"
        if not isinstance(values, Path):
            path.write_text(yaml.safe_dump(dict(values)))
        arguments += ["--values", str(path)]
    return arguments
