"""Tells the merge request how its environment is: one note, edited in place, and a commit status.

Whatever goes wrong here is a warning: the environment is what it is, whether or not the forge could
be told, and the exit code of the run says how the environment is (never how the forge was).
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envctl.errors import EnvctlError, Superseded
from envctl.model import note
from envctl.model.environment import EnvironmentInfo, Phase
from envctl.model.events import GraphPlanned, Note
from envctl.model.failure import Failure
from envctl.model.forge import StatusState
from envctl.model.result import UpResult
from envctl.ports import attempt
from envctl.workflow import baseline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from envctl.model.environment import Environment
    from envctl.model.events import Event, Sink
    from envctl.model.forge import ForgeProject
    from envctl.model.result import DownResult
    from envctl.ports.clock import Clock
    from envctl.ports.cluster import Cluster
    from envctl.ports.forge import Forge
    from envctl.workflow.session import World

#: Seconds that telling the forge may take at the end of a run, all of it together.
TIMEOUT = 20.0
#: Seconds for the word that a run has begun; it is said beside the work, which never waits for it.
ANNOUNCE_TIMEOUT = 10.0
#: Seconds for the last word of a run that was interrupted: somebody waits for the process to end.
LAST_WORD_TIMEOUT = 4.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run reports to, as its CI job knows it.

    ``baselines`` names the environments that the target branch may have. ``deployment`` says that
    the CI records deployments by itself (GitLab's ``environment:``), so
    that a commit status would say the same again. ``forge_environment`` is the forge's own name
    for the environment, or empty; ``stopping`` says that this very job is the one that the forge
    runs to stop it.
    """

    project: ForgeProject
    merge_request: str
    verb: str
    job_url: str = ""
    baselines: tuple[str, ...] = ()
    deployment: bool = False
    forge_environment: str = ""
    stopping: bool = False


@dataclass(slots=True)
class Reporter:
    """Reports one run; none of its methods raises anything but a cancellation."""

    forge: Forge
    place: Place
    clock: Clock
    emit: Sink
    began: float = 0.0
    _said: set[str] = field(default_factory=set)
    _waited: float = 0.0
    _announcing: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.began = self.clock.monotonic()

    @asynccontextmanager
    async def working(self, world: World, environment: Environment) -> AsyncIterator[World]:
        """The world to work in. Once the run holds the lock, the note says that it is at work.

        Before that it may be told that a newer pipeline has taken over, and then says nothing.
        A run that is interrupted says so.
        """
        info = info_of_wanted(environment, Phase.CREATING)
        context = self._context(environment.commit, environment.pipeline)

        def emit(event: Event) -> None:
            if isinstance(event, GraphPlanned) and self._announcing is None:
                first = self._put(info, note.working(info, context))
                self._announcing = asyncio.create_task(self._bounded(first, ANNOUNCE_TIMEOUT))
            world.emit(event)

        try:
            yield replace(world, emit=emit)
        except asyncio.CancelledError:
            if self._announcing is not None:
                await self._announced()
                last = self._put(info, note.interrupted(info, context))
                await self._bounded(last, LAST_WORD_TIMEOUT)
            raise
        finally:
            await self._announced()

    async def up(
        self, cluster: Cluster, result: UpResult, error: EnvctlError | None, commit: str
    ) -> None:
        """How a run of ``up`` or of one of its stages has ended."""
        if isinstance(error, Superseded):
            return  # the newer pipeline reports
        await self._bounded(self._up(cluster, result, commit), TIMEOUT - self._waited)

    async def error(self, environment: Environment, error: EnvctlError) -> None:
        """A run that came to no result: its file was wrong, or the cluster could not be had."""
        if isinstance(error, Superseded):
            return
        verdict = f"{error.what.rstrip('.')}: {error.why}" if error.why else error.what
        failure = error.failure or Failure(verdict, next=error.next)
        info = info_of_wanted(environment, Phase.FAILED)
        result = UpResult(info, "failed", (), (), failure, 0, 0.0)
        await self._bounded(self._up(None, result, environment.commit), TIMEOUT - self._waited)

    async def down(self, result: DownResult, commit: str) -> None:
        """How a teardown has ended; the forge's own environment is stopped with it."""
        await self._bounded(self._down(result, commit), TIMEOUT - self._waited)

    # What is sent

    async def _up(self, cluster: Cluster | None, result: UpResult, commit: str) -> None:
        info = result.environment
        context = self._context(commit, info.pipeline)
        if cluster is not None and self.place.baselines:
            name, known = await baseline.read(cluster, info, self.place.baselines)
            context = replace(context, baseline=known, baseline_name=name)
        await self._put(info, note.after_up(result, context))
        if commit and not self.place.deployment:
            good = result.failure is None
            await self._told(
                self.forge.set_status(
                    self.place.project, commit,
                    StatusState.SUCCESS if good else StatusState.FAILED,
                    name=f"envctl/{info.name}", url=info.url or self.place.job_url,
                    description=_short(result),
                )
            )  # fmt: skip

    async def _down(self, result: DownResult, commit: str) -> None:
        context = self._context(commit, result.environment.pipeline)
        await self._put(result.environment, note.after_down(result, context))
        name = self.place.forge_environment
        if name and not self.place.stopping and result.result in ("gone", "absent"):
            await self._told(self.forge.stop_environment(self.place.project, name))

    async def _put(self, info: EnvironmentInfo, body: str) -> None:
        marker = note.marker(info.project, info.name)
        place = self.place
        await self._told(self.forge.put_note(place.project, place.merge_request, marker, body))

    async def _announced(self) -> None:
        """Wait for the first word to be said: two writers of one note would make two notes."""
        if self._announcing is not None:
            began = self.clock.monotonic()
            await asyncio.wait({self._announcing})
            self._waited += self.clock.monotonic() - began

    # What may go wrong

    async def _bounded(self, work: Awaitable[None], seconds: float) -> None:
        """Await it, at most so long, whatever it comes to."""
        try:
            async with asyncio.timeout(seconds):
                with attempt.within(seconds):
                    await work
        except TimeoutError:
            self._warn("timeout", f"it was not told in {seconds:.0f} s")
        except Exception as error:  # noqa: BLE001 - a mistake of ours here is worth no red pipeline
            self._warn("bug", f"it was not told: {type(error).__name__}: {str(error)[:200]}")

    async def _told(self, call: Awaitable[object]) -> None:
        """Await one call; nothing comes of its failure but a warning."""
        try:
            await call
        except EnvctlError as error:
            self._warn(type(error).__name__, f"it was not told: {error}")

    def _warn(self, kind: str, text: str) -> None:
        """Say what went wrong, once for each kind of it."""
        if kind not in self._said:
            self._said.add(kind)
            message = f"{self.forge.kind}: {text} The environment is not affected."
            self.emit(Note("warning", message, self.clock.monotonic() - self.began))

    def _context(self, commit: str, pipeline: str) -> note.NoteContext:
        return note.NoteContext(
            job_url=self.place.job_url, commit=commit, pipeline=pipeline,
            now=self.clock.now(), verb=self.place.verb,
        )  # fmt: skip


@asynccontextmanager
async def opened(reporter: Reporter) -> AsyncIterator[Reporter]:
    """Close the reporter's forge at the end; a forge that will not close is no matter."""
    try:
        yield reporter
    finally:
        with contextlib.suppress(EnvctlError):
            await reporter.forge.close()


def info_of_wanted(environment: Environment, phase: Phase) -> EnvironmentInfo:
    """What a run knows of its environment before it has looked at the cluster."""
    return EnvironmentInfo(
        environment.project, environment.name, environment.namespace, phase, environment.url,
        commit=environment.commit, pipeline=environment.pipeline,
        merge_request=environment.merge_request, owner=environment.owner,
    )  # fmt: skip


def _short(result: UpResult) -> str:
    """A commit status has room for one line; GitLab and Gitea cut at 255 characters."""
    return (result.failure.verdict if result.failure else f"{result.result}")[:250]
