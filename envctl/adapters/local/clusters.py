"""The embedded clusters of this machine: the port ``LocalClusters`` on the real thing."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING, Any

from envctl.adapters.local import archive, build, host, loading, supervise
from envctl.adapters.local.locking import locked
from envctl.adapters.local.merging import merge
from envctl.adapters.local.places import DEFAULT_NAME, Place, cache_folder, place
from envctl.adapters.local.steps import Steps
from envctl.errors import ConfigError, Unavailable
from envctl.model.local import LocalState, LocalStatus, Profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envctl.model.events import Event
    from envctl.model.local import StartRequest

START = "start"
UNPACK = "unpack"
START_LOCK = "start.lock"
#: Seconds that a start in progress gets to notice that its cluster was stopped, before the folder
#: that it works in is deleted.
STARTER_ENDS = 20.0


class EmbeddedClusters:
    """Real clusters, each a process tree within walls of its own and a folder."""

    async def start(self, request: StartRequest, emit: Callable[[Event], None]) -> LocalStatus:
        """See ``LocalClusters``."""
        host.check_machine()
        there = _place(request.name)
        steps = Steps(emit)
        async with locked(there.folder / START_LOCK):
            if supervise.is_alive(there):
                _check_same(there, request)
                await _until_running(there, steps)
                return _status(there)
            programs = await _programs(request, steps)
            host.check_room(there.folder, host.ROOM_TO_RUN)
            async with steps.running(START) as report:
                await _run(there, request, programs, report)
        return _status(there)

    async def stop(self, name: str, *, delete: bool) -> LocalStatus:
        """See ``LocalClusters``."""
        there = _place(name)
        if there.folder.is_dir():
            _check_root("stop")
            await supervise.halt(there)
            await supervise.clear(there)
            if delete:
                await _delete(there)
        return _status(there)

    async def status(self, name: str) -> LocalStatus:
        """See ``LocalClusters``."""
        there = _place(name)
        if there.config.exists() and not supervise.is_alive(there):
            await supervise.clear(there)
        return _status(there)

    async def load(self, name: str, archive: Path) -> tuple[str, ...]:
        """See ``LocalClusters``."""
        there = _place(name)
        if _status(there).state is not LocalState.RUNNING:
            raise ConfigError(
                f"The cluster {name} does not run.",
                why="An image is given to its containerd.",
                next="Start it with `envctl local start`.",
            )
        loading.check(archive)
        _check_root("load")
        return await loading.load(there, archive)

    async def bundle(self, output: Path, emit: Callable[[Event], None]) -> str:
        """See ``LocalClusters``."""
        steps = Steps(emit)
        steps.plan([*build.step_names(), "bundle"], build.BUILD_TIMEOUT)
        programs = await build.build(steps)
        async with steps.running("bundle"):
            return await asyncio.to_thread(archive.write_bundle, programs, output)

    def merge(self, name: str, kubeconfig: Path) -> None:
        """See ``LocalClusters``."""
        merge(_place(name).kubeconfig, kubeconfig)


def _place(name: str) -> Place:
    try:
        return place(name)
    except ValueError as error:
        raise ConfigError(
            f"{name!r} cannot be the name of a cluster.",
            why="It becomes the name of a context and of a node.",
            next="Use at most 30 lower-case letters, digits and dashes, for example `second`.",
        ) from error


async def _delete(there: Place) -> None:
    """Delete the folder, once no start works in it."""
    try:
        async with asyncio.timeout(STARTER_ENDS), locked(there.folder / START_LOCK):
            await supervise.halt(there)  # what began since
            await supervise.clear(there)
            await asyncio.to_thread(shutil.rmtree, there.folder)
    except TimeoutError as error:
        raise Unavailable(
            f"The cluster {there.name} was stopped, and its data is still there.",
            why="A start of it is in progress, which builds programs.",
            next="Interrupt that start, or wait for it, then run the command again.",
        ) from error


def _check_root(verb: str) -> None:
    if os.geteuid() != 0:
        raise ConfigError(
            f"`envctl local {verb}` needs root.",
            why="The cluster belongs to root.",
            next=f"Run `sudo envctl local {verb}`.",
        )


async def _programs(request: StartRequest, steps: Steps) -> Path:
    if request.source:
        steps.plan([UNPACK, START], build.BUILD_TIMEOUT)
        async with steps.running(UNPACK) as report:
            programs = await asyncio.to_thread(archive.unpack, request.source, report)
        build.make_current(programs)
        return programs
    planned = build.step_names()
    if planned:
        host.check_room(cache_folder(), host.ROOM_TO_BUILD)
    steps.plan([*planned, START], build.BUILD_TIMEOUT)
    return await build.build(steps)


def _config(there: Place, request: StartRequest, programs: Path) -> dict[str, Any]:
    """What the supervisor is told; its Go type says the same (cluster/internal/node/config.go)."""
    before = supervise.read_json(there.config)
    return {
        "name": there.name,
        "folder": str(there.folder),
        "programs": str(programs.resolve()),
        "context": there.context,
        "profile": str(request.profile),
        "fakeNodes": request.fake_nodes,
        "apiPort": host.choose_port(
            request.api_port, before.get("apiPort", 0), _usual(there, host.API_PORT), "--port"
        ),
        "ingressPort": host.choose_port(
            request.ingress_port, before.get("ingressPort", 0), _usual(there, host.INGRESS_PORT),
            "--ingress-port",
        ),
        "cgroup": there.cgroup,
        "versions": supervise.read_json(programs / "versions.json"),
    }  # fmt: skip


def _usual(there: Place, port: int) -> int:
    """The default cluster keeps its ports to itself, even while it is stopped."""
    return port if there.name == DEFAULT_NAME else port + 1


def _check_same(there: Place, request: StartRequest) -> None:
    """A running cluster is left alone; one that runs otherwise is not what was asked for."""
    runs = supervise.read_json(there.config)
    asked = {"profile": str(request.profile), "fakeNodes": request.fake_nodes}
    if request.api_port:
        asked["apiPort"] = request.api_port
    if request.ingress_port:
        asked["ingressPort"] = request.ingress_port
    differs = [
        f"{key} is {runs.get(key)}" for key, value in asked.items() if runs.get(key) != value
    ]
    if differs:
        raise ConfigError(
            f"The cluster {there.name} runs already, with other settings.",
            why=f"Its {', its '.join(differs)}.",
            next=f"Stop it first with `envctl local stop --name {there.name}` (it keeps its data).",
        )


async def _until_running(there: Place, steps: Steps) -> None:
    """Wait for the start of a cluster whose own ``start`` was killed: its supervisor goes on."""
    status = supervise.read_status(there)
    if status.state == "running":
        return
    steps.plan([START], supervise.START_TIMEOUT)
    async with steps.running(START) as report:
        await supervise.until_running(there, status.pid, report)


async def _run(
    there: Place, request: StartRequest, programs: Path, report: Callable[[str], None]
) -> None:
    """Start it; a port that another took since it was found free is no reason to give up."""
    for last in (False, False, True):
        supervise.write_json(there.config, _config(there, request, programs))
        try:
            await _run_once(there, programs, report)
        except supervise.PortTaken:
            if last:
                raise
        else:
            return


async def _run_once(there: Place, programs: Path, report: Callable[[str], None]) -> None:
    pid = supervise.launch(there, programs)
    try:
        await supervise.until_running(there, pid, report)
    except BaseException:  # interrupted or failed: nothing may be left running
        await supervise.halt(there)
        await supervise.clear(there)
        raise


def _status(there: Place) -> LocalStatus:
    config = supervise.read_json(there.config)
    if not config:
        return LocalStatus(there.name, LocalState.ABSENT, there.context)
    runs = supervise.is_alive(there) and supervise.read_status(there).state == "running"
    real = 1 if config.get("profile") == Profile.NODE else 0
    return LocalStatus(
        name=there.name,
        state=LocalState.RUNNING if runs else LocalState.STOPPED,
        context=there.context,
        kubeconfig=str(there.kubeconfig) if there.kubeconfig.exists() else "",
        ingress=f"http://localhost:{config['ingressPort']}" if runs and real else "",
        version=config.get("versions", {}).get("kubernetes", ""),
        nodes=real + int(config.get("fakeNodes", 0)) if runs else 0,
    )
