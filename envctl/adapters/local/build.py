"""Makes the programs of the cluster, each once, and puts them together in one folder.

::

    CACHE/tools/NAME-DIGEST/     one program, named by the content it was built from
    CACHE/cluster/KEY/bin/       all of them, hard links
    CACHE/cluster/KEY/images/    the images of the node's own pods
    CACHE/cluster/current        the one that was made last

A build that is interrupted goes on where it was; two that start at once build once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import platform
import shutil
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from envctl.adapters.local import recipe
from envctl.adapters.local.compile import Compiler
from envctl.adapters.local.image import Add, Directory, Image, write_image
from envctl.adapters.local.locking import locked
from envctl.adapters.local.places import cache_folder, current_programs, sources_folder
from envctl.adapters.local.recipe import PROGRAMS, Program
from envctl.adapters.local.toolchain import find_go

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from envctl.adapters.local.steps import Steps

#: Programs that run in pods: they are in images, and need not be beside the others too.
_IN_PODS = ("coredns", "pause", "traefik")
#: What no start has used for this long, in seconds, is removed: a month.
UNUSED = 30 * 86400.0
#: A build may take this long, seconds; usual is a quarter of an hour for all.
BUILD_TIMEOUT = 3600.0


def missing() -> list[Program]:
    """The programs that have yet to be built."""
    sources = sources_folder()
    return [program for program in PROGRAMS if not _tool(program, sources).is_dir()]


def step_names() -> list[str]:
    """The steps that ``build`` will go through; none when everything is there."""
    if _programs(sources_folder()).is_dir():
        return []
    return [f"build {program.name}" for program in missing()] + ["images"]


async def build(steps: Steps) -> Path:
    """The folder with all programs, made now where it has to be.

    Raises ConfigError when there is no Go, EnvctlError when something does not build.
    """
    sources = sources_folder()
    programs = _programs(sources)
    planned = step_names()
    if planned:
        steps.note(_announcement(missing()))
        async with _alone():
            await _build_missing(steps, sources, planned)
            async with steps.running("images"):
                await asyncio.to_thread(_assemble, sources, programs)
    make_current(programs)
    return programs


def _announcement(programs: list[Program]) -> str:
    minutes = max(1, round(sum(program.usual for program in programs) / 60))
    return (
        f"{len(programs)} of {len(PROGRAMS)} programs have to be built, once: usually {minutes} "
        "min on two cores, less where Go has compiled parts before; --from takes a built archive"
    )


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    async with locked(folder / "build.lock"):
        yield


async def _build_missing(steps: Steps, sources: Path, planned: list[str]) -> None:
    compiler: Compiler | None = None
    for program in PROGRAMS:
        if f"build {program.name}" not in planned:
            continue
        async with steps.running(f"build {program.name}") as report:
            tool = _tool(program, sources)
            if tool.is_dir():  # another start has built it while this one waited for the lock
                continue
            if compiler is None:
                compiler = Compiler(await find_go(sources), sources, _work())
            partial = _empty(tool.with_name(f".{tool.name}"))
            await compiler.build(program, partial, report)
            partial.rename(tool)


def _tool(program: Program, sources: Path) -> Path:
    return cache_folder() / "tools" / f"{program.name}-{program.digest(sources)}"


def _work() -> Path:
    return _empty(cache_folder() / "tools" / ".work")


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _programs(sources: Path) -> Path:
    digests = "".join(program.digest(sources) for program in PROGRAMS)
    key = hashlib.sha256(digests.encode()).hexdigest()[:16]
    return cache_folder() / "cluster" / key


def _assemble(sources: Path, programs: Path) -> None:
    if programs.is_dir():
        return
    partial = _empty(programs.with_name(f".{programs.name}"))
    (partial / "bin" / "cni").mkdir(parents=True)
    (partial / "images").mkdir()
    for program in PROGRAMS:
        if program.name not in _IN_PODS:
            _link(program, _tool(program, sources), partial / "bin")
    tools = {program.name: _tool(program, sources) for program in PROGRAMS}
    for image in images(tools):
        name = image.name.rpartition("/")[2].partition(":")[0]
        write_image(image, partial / "images" / f"{name}.tar")
    (partial / "versions.json").write_text(json.dumps(versions(), indent=2) + "\n")
    partial.rename(programs)


def _link(program: Program, tool: Path, folder: Path) -> None:
    for name in program.makes:
        # helm 3 is made as helm too; it goes by the name of its program.
        target = folder / (program.name if len(program.makes) == 1 else name)
        if program.name == "cni":
            target = folder / "cni" / name
        os.link(tool / name, target)
    for name, to in program.links:
        (folder / name).symlink_to(to)


def images(tools: dict[str, Path]) -> tuple[Image, ...]:
    """The images of the node's own pods, from the folders of their programs."""
    tmp = Directory("/tmp", mode=0o1777)  # noqa: S108 - a path in the image
    return (
        Image(
            "docker.io/envctl/pause:1",
            (Add(tools["pause"] / "pause", "/pause"),),
            entrypoint=("/pause",),
            user="65535:65535",
        ),
        Image(
            f"docker.io/envctl/coredns:{recipe.COREDNS}",
            (Add(tools["coredns"] / "coredns", "/coredns"),),
            entrypoint=("/coredns",),
        ),
        Image(
            f"docker.io/envctl/traefik:{recipe.TRAEFIK}",
            (Add(tools["traefik"] / "traefik", "/traefik"), tmp),
            entrypoint=("/traefik",),
            user="65532:65532",
        ),
    )


def versions() -> dict[str, str]:
    """What is in the folder, for status and for whoever unpacks it elsewhere."""
    return {
        "machine": platform.machine(),
        "kubernetes": recipe.KUBERNETES,
        "containerd": recipe.CONTAINERD,
        "coredns": recipe.COREDNS,
        "traefik": recipe.TRAEFIK,
        "helm": recipe.HELM,
        "helm3": recipe.HELM3,
        "kustomize": recipe.KUSTOMIZE,
        "kwok": recipe.KWOK,
    }


def make_current(programs: Path) -> None:
    """Let ``current`` be these programs, and forget those that nobody has used for long."""
    sources = sources_folder()
    for used in (programs, *(_tool(program, sources) for program in PROGRAMS)):
        if used.is_dir():
            os.utime(used)
    _forget(time.time() - UNUSED)
    link = current_programs()
    if link.is_symlink() and link.readlink() == programs:
        return
    fresh = link.with_name(f".current-{os.getpid()}")
    fresh.symlink_to(programs)
    fresh.replace(link)


def _forget(before: float) -> None:
    for parent in (cache_folder() / "tools", cache_folder() / "cluster"):
        for folder in parent.glob("*"):
            if not folder.is_symlink() and folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)
