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
from typing import TYPE_CHECKING

import yaml

from envctl.adapters.retrying import retrying
from envctl.adapters.sources import chart as charts
from envctl.adapters.sources import objects
from envctl.model import helm as rules
from envctl.model import step
from envctl.model.objects import Obj, digest
from envctl.model.spec import Check, Component, HelmSource
from envctl.ports.sources import Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from envctl.adapters.kubernetes.connect import Target
    from envctl.adapters.sources.helm_command import Helm
    from envctl.model.environment import Environment
    from envctl.ports.sources import Records

#: A registry on the machine itself speaks plain HTTP, as Docker takes it to; no other may.
_LOOPBACK = re.compile(r"oci://(localhost|127\.0\.0\.1)(:\d+)?/")


class HelmReleases:
    """Runs helm through pyhelm3's command, without its shell; see ``envctl.ports.sources``."""

    def __init__(self, target: Target | None, folders: Sequence[Path]) -> None:
        self.target = target
        self.folders = folders
        self._helm: Helm | None = None
        self._digests: dict[Path, str] = {}

    # Rendering

    async def fingerprint(self, component: Component | Check, environment: Environment) -> str:
        """Digest of chart files, values and reference; no process is started for it."""
        source = _source(component)
        return digest(
            {
                "chart": self._digest(Path(source.chart)) if source.is_folder else source.chart,
                "repository": source.repository,
                "version": source.version,
                "values": [
                    charts.digest_of(v) if isinstance(v, Path) else dict(v) for v in source.values
                ],
                "release": component.name,
                "namespace": environment.namespace,
            }
        )

    def _digest(self, chart: Path) -> str:
        """Of a chart's files, read once however many releases are made of it."""
        if chart not in self._digests:
            self._digests[chart] = charts.digest_of(chart)
        return self._digests[chart]

    async def render(self, component: Component | Check, environment: Environment) -> Rendered:
        """What the chart renders to, hooks apart; raises ConfigError with Helm's own message."""
        source = _source(component)
        if source.is_folder:
            charts.refuse_links(Path(source.chart))
        await self.helm.parsed_version()  # says so where it is too old, before it says nonsense
        with _values(source) as (values, files):
            arguments = [
                "template", component.name, *_chart(source),
                "--namespace", environment.namespace, "--include-crds", *values,
            ]  # fmt: skip
            output = await self.helm.run(arguments, files=files)
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
        records: Records,
    ) -> tuple[Obj, ...]:
        """Install or upgrade, repairing first what a killed run left; the manifest's objects.

        A try that did not reach its goal may leave the release like a killed run does, so that
        each one begins with the repair.
        """
        source = _source(component)
        with _values(source) as (values, files):
            arguments = [
                "upgrade", component.name, *_chart(source), "--install",
                "--namespace", environment.namespace, "--history-max", "5",
                "--timeout", f"{max(1, int(timeout))}s", "--output", "json",
                *await self._server_side(), *values,
            ]  # fmt: skip

            async def once() -> bytes:
                await self._repair(component.name, environment.namespace, say, records)
                return await self.helm.once(arguments, files=files)

            output = await retrying(step.HELM, once)
        release = json.loads(output[output.index(b"{") :])
        found = objects.parse(release.get("manifest") or "", f"the release {component.name}")
        return tuple(found)

    async def uninstall(self, name: str, namespace: str, timeout: float) -> None:
        """Uninstall so that its hooks run; a release that is gone is no error."""
        from envctl.adapters.sources.helm_command import ReleaseMissing

        with contextlib.suppress(ReleaseMissing):
            await self.helm.uninstall(name, namespace=namespace, timeout=f"{max(1, int(timeout))}s")

    async def _server_side(self) -> list[str]:
        """Helm 4 lets the server apply, and stops at fields that a hand has taken: take them back.

        The server then knows every field, so that Helm need not read the schemas of all kinds for
        each release, which is most of what it does: it finds no more than the server refuses.
        """
        version = await self.helm.parsed_version()
        flags = ["--server-side=true", "--force-conflicts", "--disable-openapi-validation"]
        return flags if version >= (4, 0) else []

    async def _repair(
        self, name: str, namespace: str, say: Callable[[str], None], records: Records
    ) -> None:
        """Bring a release that a dead Helm left behind to where an upgrade can start."""
        history = await records.history()
        wanted = rules.repair(name, history)
        if wanted.say:
            say(wanted.say)
        if wanted.cure is rules.Cure.ANEW:
            await records.forget(await self._manifest(name, namespace, history[-1][0]))
        elif wanted.cure is rules.Cure.BACK:
            unfinished = [revision for revision, _ in history if revision > wanted.revision]
            target = await self._with_claims(name, namespace, wanted.revision, unfinished)
            await self.helm.rollback(name, target, namespace=namespace, no_hooks=True)

    async def _with_claims(
        self, name: str, namespace: str, good: int, unfinished: list[int]
    ) -> int:
        """The revision to roll back to: an unfinished one if it alone has certain claims.

        Going back to the good one would delete them, and whatever was written to them since.
        """
        known = _claims(await self._manifest(name, namespace, good))
        for revision in reversed(unfinished):
            if _claims(await self._manifest(name, namespace, revision)) - known:
                return revision
        return good

    async def _manifest(self, name: str, namespace: str, revision: int) -> tuple[Obj, ...]:
        """The objects of one revision."""
        arguments = ["get", "manifest", name, "--namespace", namespace, "--revision", revision]
        return tuple(objects.parse(await self.helm.run(arguments), f"the release {name}"))

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


def _claims(manifest: Sequence[Obj]) -> set[str]:
    return {o["metadata"]["name"] for o in manifest if o["kind"] == "PersistentVolumeClaim"}


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


@contextlib.contextmanager
def _values(source: HelmSource) -> Iterator[tuple[list[str], list[int]]]:
    """The values of a release as arguments of Helm, and the open files that it needs for them.

    What stands in envctl.yaml may be a password, so it is put into files without a name: nothing of
    them is left behind, however this process ends.
    """
    arguments: list[str] = []
    files: list[int] = []
    with contextlib.ExitStack() as opened:
        for layer in source.values:
            arguments.append("--values")
            if isinstance(layer, Path):
                arguments.append(str(layer))
                continue
            file = opened.enter_context(tempfile.TemporaryFile(prefix="envctl-"))
            file.write(yaml.safe_dump(dict(layer)).encode())
            file.flush()
            files.append(file.fileno())
            arguments.append(f"/dev/fd/{file.fileno()}")
        yield arguments, files
