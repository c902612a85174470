"""Collects the evidence of a failure for the job's artifact; never raises, never writes a secret.

Everything goes through ``_Masked``: there is no other way into the folder.
"""

from __future__ import annotations

import asyncio
import json
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl import __version__
from envctl.errors import EnvctlError
from envctl.model import objects as kinds
from envctl.model import record as records
from envctl.model import redact
from envctl.model.describe import describe, event_line, moment_of
from envctl.model.evidence import MAX_EVENTS, MAX_OBJECTS, Evidence
from envctl.model.objects import Obj, Resource, key_of, uid_of
from envctl.model.redact import Hidden
from envctl.ports import attempt
from envctl.workflow import collect_logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envctl.model.failure import Failure
    from envctl.model.plan import ComponentPlan
    from envctl.ports.cluster import Cluster
    from envctl.ports.folder import Folder

#: Seconds that collecting may take, and what is left of them for somebody who has interrupted us.
TIMEOUT = 45.0
LAST_TIMEOUT = 6.0
#: What every environment has, in the order in which it is asked for.
KINDS = (
    kinds.SECRET, kinds.POD, kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET,
    kinds.REPLICA_SET, kinds.JOB, kinds.CRON_JOB, kinds.SERVICE, kinds.INGRESS, kinds.CONFIG_MAP,
    kinds.PVC, kinds.SERVICE_ACCOUNT, kinds.QUOTA, kinds.LIMIT_RANGE, kinds.NETWORK_POLICY,
)  # fmt: skip
_NODES = Resource("", "v1", "nodes", "Node", namespaced=False)


@dataclass(slots=True)
class Masked:
    """The folder, behind what keeps secrets out of it."""

    folder: Folder
    hidden: Hidden = field(default_factory=Hidden)

    def text(self, path: str, content: str) -> None:
        """Write a text."""
        self.folder.text(self.hidden.mask(path), self.hidden.strict(content))

    def lines(self, path: str, lines: Iterable[str]) -> None:
        """Write lines."""
        self.folder.lines(self.hidden.mask(path), map(self.hidden.strict, lines))

    def object(self, path: str, obj: Obj) -> None:
        """Write an object."""
        self.folder.object(self.hidden.mask(path), self.hidden.object(obj))


@dataclass(slots=True)
class Collector:
    """Collects from one environment into one folder."""

    cluster: Cluster
    namespace: str
    out: Masked
    plans: Mapping[str, ComponentPlan]
    failure: Failure | None = None
    secrets: tuple[str, ...] = ()
    found: dict[Resource, list[Obj]] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)

    async def collect(self, limit: float) -> Evidence:
        """Put everything there is into the folder, within ``limit`` seconds."""
        try:
            async with asyncio.timeout(limit):
                with attempt.within(limit):
                    await self._all()
        except TimeoutError:
            self.gaps.append(f"Collecting was stopped after {limit:.0f} s.")
        except (EnvctlError, OSError) as error:
            self.gaps.append(f"Collecting ended early: {error}")
        except Exception as error:  # noqa: BLE001 - the failure itself is what must be told
            self.gaps.append(f"Collecting ended early, by a mistake of envctl's: {error!r}")
        hidden = self.out.hidden
        return Evidence(tuple(hidden.strict(gap) for gap in self.gaps), hidden)

    async def _all(self) -> None:
        await asyncio.gather(*map(self._list, (*KINDS, kinds.EVENT)))
        await self._others()
        self._hide()
        events = sorted(self.found.pop(kinds.EVENT, []), key=moment_of)
        self.out.lines("events.txt", map(event_line, events[-MAX_EVENTS:]))
        self._objects(events)
        self._plan()
        await self._versions()
        await self._nodes()
        await self._usage()
        logs = collect_logs.Logs(self.cluster, self.namespace, self.out, self.gaps)
        await logs.collect(self.found.get(kinds.POD, []), self.failure)

    async def _list(self, resource: Resource) -> None:
        try:
            self.found[resource] = await self.cluster.list(resource, self.namespace)
        except EnvctlError as error:
            self.gaps.append(f"No {resource.plural} could be read: {error.what}")
            if resource == kinds.SECRET:
                self.gaps.append("Only what looks like a credential was removed, and what the "
                                 "files of this run say is a Secret.")  # fmt: skip

    async def _others(self) -> None:
        """What the plan names of other kinds: custom resources, and what lies outside."""
        wanted = {
            (resource, str(obj["metadata"]["name"]))
            for planned in self.plans.values()
            for resource, obj in planned.objects
            if resource not in KINDS
        }
        for resource, name in sorted(wanted)[:MAX_OBJECTS]:
            namespace = self.namespace if resource.namespaced else ""
            try:
                live = await self.cluster.get(resource, name, namespace)
            except EnvctlError as error:
                self.gaps.append(f"{resource.kind}/{name} could not be read: {error.what}")
                continue
            if live is not None:
                self.found.setdefault(resource, []).append(live)

    def _hide(self) -> None:
        planned = [obj for plan in self.plans.values() for _, obj in plan.objects]
        live = [obj for found in self.found.values() for obj in found]
        self.out.hidden = redact.known([*planned, *live], self.secrets)

    def _objects(self, events: list[Obj]) -> None:
        about: dict[str, list[Obj]] = {}
        for event in events:
            about.setdefault(str((event.get("involvedObject") or {}).get("uid")), []).append(event)
        everything = [obj for found in self.found.values() for obj in found]
        for obj in everything[:MAX_OBJECTS]:
            name = f"{key_of(obj).kind}-{key_of(obj).name}"
            if key_of(obj) == key_of_record(self.namespace):
                self._record(obj)
                continue
            self.out.object(f"objects/{name}.yaml", obj)
            clean = self.out.hidden.object(obj)
            self.out.text(f"describe/{name}.txt", describe(clean, about.get(uid_of(obj), [])))
        if len(everything) > MAX_OBJECTS:
            self.gaps.append(f"{len(everything) - MAX_OBJECTS} objects were left out.")

    def _record(self, config_map: Obj) -> None:
        found = records.load(config_map)
        known: dict[str, Any] = {
            name: {
                "type": component.type,
                "complete": component.complete,
                "digest": component.digest,
                "objects": [str(entry) for entry in component.entries],
            }
            for name, component in found.components.items()
        }
        checks = {
            name: {"passed": c.passed, "seconds": c.seconds} for name, c in found.checks.items()
        }
        self.out.object("record.yaml", {"components": known, "checks": checks})

    def _plan(self) -> None:
        lines: list[str] = []
        for name, planned in self.plans.items():
            lines.append(f"{name}: {planned.reason or 'unchanged'}")
            lines += [f"  drift: {drift}" for drift in planned.drift]
            lines += [f"  {key_of(obj)}" for _, obj in planned.objects]
        if lines:
            self.out.lines("plan.txt", lines)

    async def _versions(self) -> None:
        lines = [f"envctl {__version__}", f"Python {platform.python_version()}"]
        try:
            found = await self.cluster.call("GET", "/version")
            lines.append(f"Kubernetes {found.get('gitVersion', '')} ({found.get('platform', '')})")
        except EnvctlError as error:
            self.gaps.append(f"The cluster did not say its version: {error.what}")
        self.out.lines("versions.txt", lines)

    async def _nodes(self) -> None:
        """The conditions of the nodes: most credentials may not see them, which is no gap."""
        try:
            nodes = await self.cluster.list(_NODES)
        except EnvctlError:
            return
        self.out.text("nodes.txt", "\n".join(describe(self.out.hidden.object(n)) for n in nodes))

    async def _usage(self) -> None:
        """What the pods use, where a metrics server is there."""
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self.namespace}/pods"
        try:
            found = await self.cluster.call("GET", path)
        except EnvctlError:
            return
        lines = [
            f"{item['metadata']['name']} {container['name']} {json.dumps(container.get('usage'))}"
            for item in found.get("items") or []
            for container in item.get("containers") or []
        ]
        self.out.lines("usage.txt", lines)


def key_of_record(namespace: str) -> kinds.Key:
    """Which object the record is."""
    return kinds.Key("", "ConfigMap", namespace, records.NAME)
