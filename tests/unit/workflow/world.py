"""A whole run of `up` or `down` against the cluster in memory, with real files and a fake Helm."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envctl.adapters.sources.manifests import Manifests
from envctl.config import load, settings
from envctl.config.ci import CIContext
from envctl.model import record
from envctl.model.objects import WELL_KNOWN, Obj
from envctl.ports.sources import Rendered
from envctl.workflow.down import down
from envctl.workflow.session import World
from envctl.workflow.up import STAGES, up
from tests.unit.fakes import FakeCluster, nothing
from tests.unit.virtual import FakeClock, virtually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envctl.config.load import Loaded
    from envctl.errors import EnvctlError
    from envctl.model.environment import Environment
    from envctl.model.events import Event
    from envctl.model.result import DownResult, UpResult
    from envctl.ports.sources import Records

HEAD = "apiVersion: envctl.dev/v1\nproject: shop\n"
NAMESPACE_KEY = ("", "Namespace", "", "shop-fix")


class Killed(BaseException):
    """What `kill -9` is to a test."""


def config(name: str, value: str = "1", kind: str = "ConfigMap", **meta: Any) -> Obj:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **meta},
            "data": {"value": value}}  # fmt: skip


ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "shop-fix-reader"}, "rules": []}  # fmt: skip


@dataclass
class FakeHelm:
    """Deploys what ``charts`` says, as Helm does: its own labels, notes and field manager."""

    cluster: FakeCluster
    charts: dict[str, list[Obj]] = field(default_factory=dict)
    uninstalled: list[str] = field(default_factory=list)
    hooks: list[Obj] = field(default_factory=list)

    async def fingerprint(self, component: Any, environment: Environment) -> str:
        del environment
        return json.dumps(self.charts[component.name])

    async def render(self, component: Any, environment: Environment) -> Rendered:
        del environment
        return Rendered(tuple(self.charts[component.name]), tuple(self.hooks))

    async def deploy(
        self, component: Any, environment: Environment, timeout: float,
        say: Callable[[str], None], records: Records,
    ) -> tuple[Obj, ...]:  # fmt: skip
        del timeout, say, records
        self.cluster.before("helm", component.name)
        for obj in self.charts[component.name]:
            resource = WELL_KNOWN[obj["apiVersion"], obj["kind"]]
            notes = {"meta.helm.sh/release-namespace": environment.namespace}
            meta = {**obj["metadata"], "annotations": notes}
            if resource.namespaced:
                meta["namespace"] = environment.namespace
            self.cluster.put(resource, {**obj, "metadata": meta}, "helm")
        return tuple(self.charts[component.name])

    async def uninstall(self, name: str, namespace: str, timeout: float) -> None:
        del namespace, timeout
        self.uninstalled.append(name)


@dataclass
class Shop:
    """A repository, a cluster, and the verbs between them."""

    folder: Path
    cluster: FakeCluster = field(default_factory=FakeCluster)
    events: list[Event] = field(default_factory=list)
    runs: int = 0

    def __post_init__(self) -> None:
        self.helm = FakeHelm(self.cluster)

    def write(self, text: str, **files: list[Obj]) -> None:
        (self.folder / "envctl.yaml").write_text(HEAD + textwrap.dedent(text))
        for name, objects in files.items():
            body = "\n---\n".join(json.dumps(o) for o in objects)
            (self.folder / f"{name}.yaml").write_text(body)

    def loaded(self, pipeline: str = "", env: dict[str, str] | None = None) -> Loaded:
        ci = CIContext(commit="abc", pipeline=pipeline, owner="ann")
        chosen = settings.read(env or {}, name="fix")
        return load.load(load.read(self.folder / "envctl.yaml"), chosen, ci)

    def world(self) -> World:
        self.runs += 1
        manifests = Manifests()
        sources: dict[str, Any] = {"helm": self.helm, "chart": self.helm, "manifests": manifests,
                                   "job": manifests, "check": manifests}  # fmt: skip
        return World(self.cluster, sources, FakeClock(), self.events.append, f"run-{self.runs}")

    def up(
        self,
        pipeline: str = "",
        env: dict[str, str] | None = None,
        stages: Any = STAGES,
        limit: float = 0.0,
    ) -> tuple[UpResult, EnvctlError | None]:
        self.cluster.calls.clear()
        return virtually(up(self.world(), self.loaded(pipeline, env), stages, limit))

    def down(
        self, timeout: float = 60.0, pipeline: str = ""
    ) -> tuple[DownResult, EnvctlError | None]:
        self.cluster.calls.clear()
        environment = load.identify(
            settings.read({}, project="shop", name="fix"), CIContext(owner="ann", pipeline=pipeline)
        )
        return virtually(down(self.world(), environment, timeout))

    def killed_at(self, number: int, verb: Callable[[], Any], *, after: bool) -> bool:
        """Run ``verb`` and kill it at its n-th write; False where it made fewer."""
        count, dead = 0, False

        def before(kind: str, what: str) -> None:
            nonlocal count, dead
            del what
            if not dead and not after and kind not in ("get", "list", "watch"):
                count += 1
                dead = count >= number
            if dead:
                raise Killed

        def behind(kind: str, what: str) -> None:
            nonlocal count, dead
            del kind, what
            count += 1
            dead = dead or (after and count >= number)
            if dead:
                raise Killed

        self.cluster.before, self.cluster.after = before, behind if after else nothing
        try:
            verb()
        except (Killed, BaseExceptionGroup):
            pass
        finally:
            self.cluster.before = self.cluster.after = nothing
        return dead

    def names(self) -> set[str]:
        """``Kind/name`` of everything but what envctl keeps for itself."""
        return {f"{k[1]}/{k[3]}" for k in self.cluster.store if k[2] != "envctl-system"} - {
            "Namespace/envctl-system",
            "ConfigMap/envctl-record",
        }

    def end_state(self) -> dict[Any, Any]:
        """The state of the cluster, without times and what they are counted from."""
        found = self.cluster.state()
        remembered = record.load(found.pop(("", "ConfigMap", "shop-fix", record.NAME), None))
        for key, obj in found.items():
            obj["metadata"].pop("annotations", None)
            if key[1] == "Lease":
                obj["spec"] = {"holderIdentity": obj["spec"]["holderIdentity"]}
        found["record"] = {
            name: (d.type, d.complete, d.digest, sorted(str(e) for e in d.entries))
            for name, d in remembered.components.items()
        }
        return found
