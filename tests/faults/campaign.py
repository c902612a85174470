"""Strikes many points, several environments side by side, and writes down what came of each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import time
import traceback
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from platform import python_version
from typing import TYPE_CHECKING

from envctl import __version__
from tests.cluster.node import tool as find_tool
from tests.contract.tls import private_ca
from tests.faults import application, points, state
from tests.faults.archive import commit, counts_of
from tests.faults.commands import Envctl, Shell
from tests.faults.forks import Zygote
from tests.faults.life import Life
from tests.faults.proxy import Proxy, Upstream

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.commands import Commands
    from tests.faults.inject import Injector
    from tests.faults.points import Outcome, Point

_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": application.STORAGE_CLASS},
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


@dataclass
class Tool:
    """One of the compared tools, what it asks undisturbed, and what is still to be struck."""

    commands: Commands
    requests: dict[str, int] = field(default_factory=dict)
    of_helm: dict[str, int] = field(default_factory=dict)
    references: dict[str, state.State] = field(default_factory=dict)
    queues: dict[str, deque[Point]] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return sum(map(len, self.queues.values()))

    def all_points(self) -> list[Point]:
        return points.of(self.commands.name, self.requests, self.of_helm)

    def stages(self) -> tuple[str, ...]:
        """The kind of life in which most is still to be struck."""
        return max(
            self.commands.stages,
            key=lambda stages: (sum(len(self.queues.get(v, ())) for v in stages), -len(stages)),
        )


@dataclass
class Campaign:
    """A run of the harness against one cluster. ``wanted`` chooses among the points."""

    kubeconfig: Path
    folder: Path
    results: Path
    tools: list[Tool]
    seed: int = 1
    slots: int = 6
    minutes: float = 1e9
    most: int = 10**9
    wanted: Callable[[Point], bool] = lambda _: True
    outcomes: list[Outcome] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    """What went wrong in the harness itself: such points are struck by a later run."""
    _commit: str = field(default_factory=commit)
    _lives: int = 0
    _stopped: bool = False
    _began: float = field(default_factory=time.monotonic)

    async def run(self) -> list[Outcome]:
        """Measure undisturbed runs, then strike; what came of the points of this run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        upstream = Upstream(self.kubeconfig)
        try:
            with contextlib.suppress(AssertionError):  # it is there
                await upstream.call("POST", _CLASSES, _CLASS)
            proxies = [await self._proxy(upstream, slot) for slot in range(self.slots)]
            for tool in self.tools:
                await self._measure(tool, upstream, proxies)
            self._save_counts(await upstream.call("GET", "/version"))
            known = {outcome.point.key for outcome in points.read(self.results)}
            for tool in self.tools:
                left = [p for p in tool.all_points() if p.key not in known and self.wanted(p)]
                tool.queues = points.shuffled(left, self.seed)
            telling = asyncio.create_task(self._tell())
            await asyncio.gather(*(self._work(upstream, proxy) for proxy in proxies))
            telling.cancel()
            for proxy in proxies:
                await proxy.stop()
        finally:
            self._stopped = True
            await upstream.close()
        return self.outcomes

    async def _proxy(self, upstream: Upstream, slot: int) -> Proxy:
        folder = self.folder / f"slot-{slot}"
        folder.mkdir(exist_ok=True)
        certificate = await asyncio.to_thread(private_ca, folder / "tls")
        proxy = Proxy(upstream, certificate, folder / "kubeconfig")
        await proxy.start()
        return proxy

    def _life(self, tool: Tool, upstream: Upstream, proxy: Proxy) -> Life:
        self._lives += 1
        project = f"k{int(time.time()) % 10**6:06d}{self._lives:05d}"
        folder = self.folder / project
        folder.mkdir()
        return Life(
            tool.commands, upstream, proxy, self.kubeconfig, folder, project, tool.references
        )

    # Measuring

    async def _measure(self, tool: Tool, upstream: Upstream, proxies: list[Proxy]) -> None:
        """What is normal: how many requests, and which state; two lives must agree on it."""
        lives = await asyncio.gather(
            *(
                self._observed(tool, upstream, proxy, stages)
                for proxy, stages in zip(proxies, tool.commands.stages[:2], strict=False)
            )
        )
        for verb, (seen, found) in (item for life in lives for item in life.items()):
            difference = state.difference(tool.references.setdefault(verb, found), found)
            assert not difference, f"two undisturbed runs of {verb} differ: {difference}"
            tool.requests.setdefault(verb, len(seen.seen))
            tool.of_helm.setdefault(verb, seen.of_helm)
        print(f"{tool.commands.name}: requests {tool.requests}", flush=True)

    async def _observed(
        self, tool: Tool, upstream: Upstream, proxy: Proxy, stages: tuple[str, ...]
    ) -> dict[str, tuple[Injector, state.State]]:
        """Each verb of a life that nothing disturbs: what it asked, and what it led to."""
        life = self._life(tool, upstream, proxy)
        found = {}
        for verb in stages:
            seen, wrong = await life.undisturbed(verb, watched=True)
            assert not wrong, wrong
            found[verb] = (seen, await life.settled())
        await life.end()
        return found

    def _save_counts(self, version: dict[str, str]) -> None:
        """How many points there are, and where this ran, for the table."""
        path = counts_of(self.results)
        known = json.loads(path.read_text()) if path.exists() else {"tools": {}}
        helms = sorted({_helm_version(tool.commands.helm) for tool in self.tools})
        kernel, memory = os.uname(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        known["meta"] = {
            "date": f"{datetime.now(UTC):%d %B %Y}",
            "versions": f"envctl {__version__}, Helm {' and '.join(helms)}, "
            f"Kubernetes {version['gitVersion'].removeprefix('v')}, Python {python_version()}",
            "machine": f"{os.cpu_count()} shared cores, {memory / 2**30:.0f} GiB, "
            f"{kernel.sysname} {kernel.release.split('-')[0]}, "
            f"at a load of {os.getloadavg()[2]:.0f}",
        }
        for tool in self.tools:
            mine = {"requests": tool.requests, "of_helm": tool.of_helm}
            mine = known["tools"].setdefault(tool.commands.name, mine)
            tool.requests, tool.of_helm = mine["requests"], mine["of_helm"]
        path.write_text(json.dumps(known))

    # Striking

    async def _work(self, upstream: Upstream, proxy: Proxy) -> None:
        while not self._over():
            tool = max(self.tools, key=lambda tool: tool.left / len(tool.all_points()))
            if not tool.left:
                return
            try:
                await self._live(tool, upstream, proxy)
            except Exception as error:  # noqa: BLE001 - one life of thousands
                self.errors.append(error)
                traceback.print_exc()

    def _over(self) -> bool:
        late = time.monotonic() - self._began > self.minutes * 60
        return self._stopped or late or len(self.outcomes) >= self.most

    async def _live(self, tool: Tool, upstream: Upstream, proxy: Proxy) -> None:
        life, stages = self._life(tool, upstream, proxy), tool.stages()
        try:
            for index, verb in enumerate(stages):
                if not any(tool.queues.get(v) for v in stages[index:]) or self._over():
                    break
                queue = tool.queues.get(verb)
                if not queue:
                    _, wrong = await life.undisturbed(verb)
                    assert not wrong, wrong
                    continue
                outcome = replace(await life.struck(queue.popleft()), commit=self._commit)
                self._keep(outcome)
                if outcome.end == "stuck" or outcome.point.recovery == points.DOWN:
                    break
        finally:
            await life.end()

    def _keep(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        with self.results.open("a") as file:
            file.write(outcome.line() + "\n")
        seen = outcome.end == "same" and outcome.point.fault.curable
        if outcome.end == "stuck" or seen:
            print(f"{outcome.end}: {outcome.point.key} [{outcome.request}] {outcome.why}",
                  flush=True)  # fmt: skip

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(10)
            stuck = sum(o.end == "stuck" for o in self.outcomes)
            left = sum(tool.left for tool in self.tools)
            minutes = (time.monotonic() - self._began) / 60
            rate = len(self.outcomes) / max(minutes, 0.01)
            print(f"{minutes:.1f} min: {len(self.outcomes)} points struck, {left} left, "
                  f"{stuck} stuck, {rate:.0f} a minute", flush=True)  # fmt: skip


def _helm_version(name: str) -> str:
    command = [find_tool(name), "version", "--template", "{{.Version}}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.lstrip("v")


@contextlib.asynccontextmanager
async def compared(context: str, helms: tuple[str, ...], *, shell: bool = True):  # type: ignore[no-untyped-def]
    """The tools, with a Python that is ready to run envctl."""
    zygote = Zygote()
    await zygote.open()
    try:
        tools = [Tool(Envctl(zygote, context, helm)) for helm in helms]
        yield [*tools, *(Tool(Shell(helm)) for helm in helms if shell)]
    finally:
        await zygote.close()
