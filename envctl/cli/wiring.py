"""Puts a verb together: configuration, adapters, output. The only place that knows all of them."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envctl.errors import ConfigError
from envctl.model.events import RequestsCounted
from envctl.output.context import RunContext

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from envctl.adapters.kubernetes.cluster import KubernetesCluster
    from envctl.adapters.kubernetes.connect import Target
    from envctl.cli.options import Options
    from envctl.config.ci import CIContext
    from envctl.config.load import Loaded
    from envctl.config.settings import Settings
    from envctl.model.environment import Environment
    from envctl.output.sink import Output
    from envctl.ports.cluster import Cluster
    from envctl.ports.forge import Forge
    from envctl.workflow.session import World


@dataclass(frozen=True, slots=True)
class Wired:
    """A verb's world: the environment it means, and the ports to reach it."""

    world: World
    environment: Environment
    loaded: Loaded | None
    target: Target


def settings_of(options: Options) -> Settings:
    """Options and ENVCTL_* variables, combined."""
    from envctl.config import settings

    return settings.read(
        os.environ, context=options.context, project=options.project, name=options.name,
        images=options.images,
    )  # fmt: skip


def target_of(settings: Settings, file_context: str, allowed: tuple[str, ...] | None) -> Target:
    """The cluster to work on; raises ConfigError where there is none, Refused where not allowed."""
    from envctl.adapters.kubernetes import connect, jobtoken
    from envctl.adapters.local.lookup import kubeconfigs
    from envctl.config.settings import check_context

    wanted = settings.context or file_context
    if wanted:
        check_context(wanted, allowed, settings, "envctl.yaml")
    env = jobtoken.with_token(os.environ, wanted)
    target = connect.choose(wanted, env, tuple(kubeconfigs()))
    check_context(target.context, allowed, settings, "envctl.yaml")
    return target


def load(options: Options) -> tuple[Loaded, Target]:
    """Read envctl.yaml for a verb that needs it, and choose the cluster."""
    from envctl.config import ci
    from envctl.config import load as config

    settings = settings_of(options)
    context = ci.detect(os.environ, options.file.parent)
    document = config.read(options.file)
    loaded = config.load(document, settings, context)  # all that is wrong with it, before all else
    target = target_of(settings, loaded.spec.context, loaded.spec.allowed_contexts)
    if target.ingress:
        loaded = config.load(document, settings, context, target.ingress)
    return loaded, target


def environment_of(options: Options) -> Environment:
    """The environment that the options mean, whatever is wrong with the file."""
    from envctl.config import ci
    from envctl.config.load import identify as identify_environment

    raw = _peek(options, strict=False)
    context = ci.detect(os.environ, Path.cwd())
    return identify_environment(settings_of(options), context, raw.get("project", ""))


def identify(options: Options) -> tuple[Environment, Target]:
    """The environment that the options mean, for verbs that need no file.

    Where there is a file, it gives the project and the context that the options leave out.
    """
    from envctl.config import ci
    from envctl.config.load import identify as identify_environment

    settings = settings_of(options)
    raw = _peek(options, strict=not (settings.project and settings.name and settings.context))
    context = ci.detect(os.environ, Path.cwd())
    environment = identify_environment(settings, context, raw.get("project", ""))
    return environment, target_of(settings, raw.get("cluster", {}).get("context", ""), None)


def _peek(options: Options, *, strict: bool) -> dict[str, Any]:
    """What the file says, where there is one; a broken one matters only where it is needed."""
    from envctl.config import load as config
    from envctl.config import yamlfile

    if not options.file.exists():
        return {}
    try:
        config.within(options.file)
        raw = yamlfile.load(options.file).value
    except ConfigError:
        if strict:
            raise
        return {}
    return raw if isinstance(raw, dict) and isinstance(raw.get("cluster", {}), dict) else {}


def target_without_file(options: Options, settings: Settings) -> Target:
    """The cluster for a verb that means no one environment; a file here may name its context."""
    cluster = _peek(options, strict=not settings.context).get("cluster", {})
    return target_of(settings, cluster.get("context", ""), None)


def forge_of(context: CIContext) -> Forge | None:
    """The forge that the variables name, or None; whoever opens it closes it.

    Raises ConfigError where they contradict each other, or would send a token in the clear.
    """
    from envctl.config import forge

    settings = forge.read(os.environ, context)
    if settings is None:
        return None
    from envctl.adapters.forge import open_forge

    return open_forge(settings)


@asynccontextmanager
async def wired(options: Options, out: Output, *, needs_file: bool) -> AsyncIterator[Wired]:
    """Open the world of a verb; the connection is closed at the end."""
    from envctl.adapters.local.lookup import tool_folders
    from envctl.adapters.sources import open_sources

    loaded: Loaded | None = None
    if needs_file:
        loaded, target = load(options)
        environment = loaded.environment
    else:
        environment, target = identify(options)
    async with _world(options, out, environment, target) as world:
        sources = open_sources(target, tool_folders())
        yield Wired(replace(world, sources=sources), environment, loaded, target)


@asynccontextmanager
async def looking(options: Options, out: Output) -> AsyncIterator[Wired]:
    """The world of a verb that deploys nothing: no file is needed, and no component type."""
    environment, target = identify(options)
    async with _world(options, out, environment, target) as world:
        yield Wired(world, environment, None, target)


@asynccontextmanager
async def sweeping(options: Options, out: Output) -> AsyncIterator[tuple[World, str]]:
    """The world of a verb that works on many environments, and the project; empty means all."""
    from envctl.adapters.clock import SystemClock
    from envctl.adapters.local.lookup import tool_folders
    from envctl.adapters.sources import open_sources
    from envctl.config import names
    from envctl.workflow.session import World

    settings, run_id = settings_of(options), uuid.uuid4().hex[:12]
    project = settings.project
    if project:
        names.check_label("project", project, names.MAX_PROJECT)
    target = target_without_file(options, settings)
    run = RunContext(project=project, run=run_id, verb=options.verb)
    out.identify(run)
    sources = open_sources(target, tool_folders())
    async with connected(target, out, run) as cluster:
        yield World(cluster, sources, SystemClock(), out.emit, run_id), project


@asynccontextmanager
async def connected(
    target: Target, out: Output, run: RunContext | None = None
) -> AsyncIterator[Cluster]:
    """A connection to a cluster; at its end, what it cost in requests is told.

    With ``run``, the cluster's audit log says of each request which run and pipeline made it.
    """
    from envctl.adapters.kubernetes.cluster import KubernetesCluster

    cluster = KubernetesCluster(target, run.agent if run else RunContext().agent)
    began = time.monotonic()
    try:
        with _cut_when_continued(cluster):
            yield cluster
    finally:
        counted = dict(sorted(cluster.by_verb.items()))
        out.emit(RequestsCounted(time.monotonic() - began, counted))
        await cluster.close()


@contextmanager
def _cut_when_continued(cluster: KubernetesCluster) -> Iterator[None]:
    """A process that was stopped and goes on (SIGCONT) sends nothing of what it had in hand.

    The handler runs before anything else does, as the event loop's own would not.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = signal.signal(signal.SIGCONT, lambda *_: cluster.cut())
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, before)


@asynccontextmanager
async def _world(
    options: Options, out: Output, environment: Environment, target: Target
) -> AsyncIterator[World]:
    from envctl.adapters.clock import SystemClock
    from envctl.config import duration
    from envctl.workflow.session import World

    run_id = uuid.uuid4().hex[:12]
    run = RunContext(
        environment.name, environment.project, run_id, environment.pipeline, options.verb
    )
    out.identify(run)
    patience = duration.seconds(options.lock_timeout, what="--lock-timeout")
    async with connected(target, out, run) as cluster:
        yield World(cluster, {}, SystemClock(), out.emit, run_id, patience)
