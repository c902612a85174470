"""The merge request is told; and nothing that a forge does changes what a run ends with."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from envctl.cli.reporting import place_of
from envctl.config import ci
from envctl.errors import ConfigError, EnvctlError, Locked, Superseded
from envctl.model import measured
from envctl.model.environment import Environment, EnvironmentInfo, Phase
from envctl.model.events import GraphPlanned, Note
from envctl.model.forge import ForgeProject, MergeRequest, StatusState
from envctl.model.measured import Measured
from envctl.model.note_parts import Baseline
from envctl.model.objects import LEASE
from envctl.model.result import CheckResult, DownResult, UpResult
from envctl.ports.forge import ForgeForbidden, ForgeUnavailable
from envctl.workflow import baseline
from envctl.workflow.report import TIMEOUT, Place, Reporter
from envctl.workflow.session import World
from tests.unit.fakes import FakeCluster
from tests.unit.virtual import FakeClock, virtually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from envctl.model.events import Event

PROJECT = ForgeProject("https://git.example.org", "7")
ENVIRONMENT = Environment("shop", "mr-12", "shop-mr-12", url="http://x/", commit="abc123")
INFO = EnvironmentInfo("shop", "mr-12", "shop-mr-12", Phase.READY, url="http://x/")
GOOD = UpResult(INFO, "succeeded", (), (), None, 3, 1.0)


@dataclass
class Forge:
    """Keeps what it is told, unless it is ``broken`` or ``hangs``."""

    kind: str = "GitLab"
    server: str = PROJECT.server
    broken: EnvctlError | None = None
    hangs: bool = False
    notes: dict[str, list[str]] = field(default_factory=dict)
    statuses: list[tuple[str, StatusState, str]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    async def _answer(self) -> None:
        await asyncio.sleep(3600 if self.hangs else 0.1)
        if self.broken:
            raise self.broken

    async def put_note(self, project: ForgeProject, iid: str, marker: str, body: str) -> None:
        assert (project, iid) == (PROJECT, "12")
        await self._answer()
        assert body.startswith(marker)
        self.notes.setdefault(marker, []).append(body)

    async def set_status(
        self,
        project: ForgeProject,
        sha: str,
        state: StatusState,
        *,
        name: str,
        url: str,
        description: str,
    ) -> None:
        del project, url, description
        await self._answer()
        self.statuses.append((sha, state, name))

    async def stop_environment(self, project: ForgeProject, name: str) -> bool:
        del project
        await self._answer()
        self.stopped.append(name)
        return True

    async def merge_request(self, project: ForgeProject, iid: str) -> MergeRequest:
        raise NotImplementedError

    async def find_note(self, project: ForgeProject, iid: str, marker: str) -> str | None:
        raise NotImplementedError

    async def close(self) -> None:
        pass


@dataclass
class Told:
    """A reporter and all that came of it."""

    forge: Forge
    place: Place
    warnings: list[str] = field(default_factory=list)
    reporter: Reporter = field(init=False)

    def __post_init__(self) -> None:
        def emit(event: Event) -> None:
            assert isinstance(event, Note)
            self.warnings.append(event.message)

        self.reporter = Reporter(self.forge, self.place, FakeClock(), emit)  # type: ignore[arg-type]

    @property
    def heads(self) -> list[str]:
        return [n.splitlines()[2] for notes in self.forge.notes.values() for n in notes]


def told(work: Callable[[Reporter], Awaitable[object]], **place: object) -> Told:
    forge = place.pop("forge", None) or Forge()

    async def run() -> Told:
        found = Told(forge, Place(PROJECT, "12", "up", **place))  # type: ignore[arg-type]
        await work(found.reporter)
        return found

    return virtually(run())


@asynccontextmanager
async def at_work(reporter: Reporter) -> AsyncIterator[None]:
    """A run that has got the lock."""
    world = World(FakeCluster(), {}, FakeClock(), lambda _: None, "run")  # type: ignore[arg-type]
    async with reporter.working(world, ENVIRONMENT) as inside:
        inside.emit(GraphPlanned(()))
        inside.emit(GraphPlanned(()))
        yield


async def _deployed(reporter: Reporter, result: UpResult = GOOD) -> None:
    async with at_work(reporter):
        await asyncio.sleep(1)
    await reporter.up(FakeCluster(), result, None, "abc123")


def test_one_note_first_at_work_then_ready() -> None:
    found = told(_deployed)
    assert ["Deploying" in found.heads[0], "Ready" in found.heads[1]] == [True, True]
    assert len(found.forge.notes) == 1, "both are the same note"
    assert found.forge.statuses == [("abc123", StatusState.SUCCESS, "envctl/mr-12")]
    assert found.warnings == []


def test_a_ci_that_records_deployments_needs_no_status() -> None:
    assert told(_deployed, deployment=True).forge.statuses == []


def test_a_mistake_in_the_file_is_told_too() -> None:
    error = ConfigError("envctl.yaml is wrong.", why="Line 4.", next="Correct it.")
    found = told(lambda reporter: reporter.error(ENVIRONMENT, error))
    (note,) = next(iter(found.forge.notes.values()))
    assert "Line" in note
    assert "Correct" in note
    assert found.forge.statuses[0][1] is StatusState.FAILED


@pytest.mark.parametrize("result", [None, GOOD])
def test_a_superseded_run_says_nothing_the_newer_one_does(result: UpResult | None) -> None:
    error = Superseded("Pipeline 9 has taken over.")

    async def work(reporter: Reporter) -> None:
        if result:
            await reporter.up(FakeCluster(), result, error, "abc123")
        else:
            await reporter.error(ENVIRONMENT, error)

    found = told(work)
    assert (found.forge.notes, found.forge.statuses) == ({}, [])


def test_a_run_that_never_gets_the_lock_leaves_the_note_to_the_newer_one() -> None:
    error = Superseded("Pipeline 9 has taken over.")

    async def work(reporter: Reporter) -> None:
        world = World(FakeCluster(), {}, FakeClock(), lambda _: None, "run")  # type: ignore[arg-type]

        async def run() -> None:
            async with reporter.working(world, ENVIRONMENT) as inside:
                inside.emit(Note("info", "waiting for the run that works on it", 0.0))
                raise error

        with pytest.raises(Superseded):
            await run()
        await reporter.error(ENVIRONMENT, error)

    assert told(work).forge.notes == {}


def test_a_mistake_of_ours_is_a_warning_too() -> None:
    found = told(_deployed, forge=Forge(broken=KeyError("iid")))  # type: ignore[arg-type]
    (warning,) = found.warnings
    assert "KeyError" in warning


@pytest.mark.parametrize(
    "error",
    [
        ForgeUnavailable("GitLab answers 502.", next="Wait."),
        ForgeForbidden("GitLab refuses.", next="Give the token the scope api."),
    ],
)
def test_whatever_the_forge_says_is_one_warning(error: EnvctlError) -> None:
    found = told(_deployed, forge=Forge(broken=error))
    (warning,) = found.warnings
    assert str(error) in warning
    assert "not affected" in warning


def test_a_forge_that_hangs_costs_little() -> None:
    took: list[float] = []

    async def work(reporter: Reporter) -> None:
        began = asyncio.get_running_loop().time()
        await _deployed(reporter)
        took.append(asyncio.get_running_loop().time() - began)

    found = told(work, forge=Forge(hangs=True))
    assert took[0] <= 1 + TIMEOUT
    assert len(found.warnings) == 1
    assert "not affected" in found.warnings[0]


def test_the_work_does_not_wait_for_the_first_word() -> None:
    at: list[float] = []

    async def work(reporter: Reporter) -> None:
        async with at_work(reporter):
            at.append(asyncio.get_running_loop().time())

    told(work, forge=Forge(hangs=True))
    assert at == [0.0]


def test_an_interrupted_run_says_so() -> None:
    async def work(reporter: Reporter) -> None:
        async def run() -> None:
            async with at_work(reporter):
                await asyncio.sleep(100)

        task = asyncio.create_task(run())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert "Interrupted" in told(work).heads[-1]


def _down(result: str) -> Callable[[Reporter], Awaitable[object]]:
    return lambda reporter: reporter.down(DownResult(INFO, result, (), (), 1.0), "abc123")


def test_the_forges_environment_is_stopped_with_ours() -> None:
    named = {"forge_environment": "review/12"}
    assert told(_down("gone"), **named).forge.stopped == ["review/12"]
    assert told(_down("absent"), **named).forge.stopped == ["review/12"]
    assert told(_down("stuck"), **named).forge.stopped == [], "it is still there"
    assert told(_down("gone"), **named, stopping=True).forge.stopped == [], "this job is the stop"
    assert "Gone" in told(_down("gone")).heads[0]


def _lease(namespace: str, run: Measured) -> dict[str, object]:
    notes = {measured.ANNOTATION: measured.added({}, "smoke", run)}
    return {"metadata": {"name": namespace, "namespace": "envctl-system", "annotations": notes}}


def test_checks_are_shown_beside_the_target_branch() -> None:
    cluster = FakeCluster()
    cluster.put(LEASE, _lease("shop-latest", Measured((("orders", 40.0),), 2.0)))
    found = virtually(baseline.read(cluster, INFO, ("main", "latest")))
    assert found == ("latest", {"smoke": Baseline(2.0, {"orders": 40.0})})
    result = UpResult(
        INFO, "succeeded", (), (CheckResult("smoke", "passed", 3.0, (("orders", 50.0),)),), None,
        1, 1.0,
    )  # fmt: skip

    async def work(reporter: Reporter) -> None:
        await reporter.up(cluster, result, None, "abc123")

    (note,) = next(iter(told(work, baselines=("main", "latest")).forge.notes.values()))
    assert "25 %" in note


def test_its_own_environment_is_no_baseline() -> None:
    cluster = FakeCluster()
    cluster.put(LEASE, _lease(INFO.namespace, Measured((), 2.0)))
    assert virtually(baseline.read(cluster, INFO, ("mr-12", "main"))) == ("", {})


def test_where_a_job_reports_to() -> None:
    env = {
        "GITLAB_CI": "true", "CI_SERVER_URL": "https://git.example.org", "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "12", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_DEFAULT_BRANCH": "main", "CI_ENVIRONMENT_NAME": "review/12",
        "CI_JOB_URL": "https://git.example.org/j/1",
    }  # fmt: skip

    def where(**changed: str) -> Place | None:
        from pathlib import Path

        return place_of(ci.detect({**env, **changed}, Path()), "up")

    place = where()
    assert place is not None
    assert (str(place.project), place.merge_request) == (str(PROJECT), "12")
    assert place.deployment
    assert place.baselines[-1] == "latest"
    assert where(CI_MERGE_REQUEST_IID="") is None
    stop = where(CI_ENVIRONMENT_ACTION="stop")
    assert stop is not None
    assert stop.stopping
    release = where(CI_MERGE_REQUEST_TARGET_BRANCH_NAME="release-1.4")
    assert release is not None
    assert release.baselines[0] == "release-1-4"
    assert "latest" not in release.baselines


def test_a_run_that_found_the_lock_taken_is_told() -> None:
    found = told(lambda reporter: reporter.error(ENVIRONMENT, Locked("Another run works on it.")))
    assert "Another run" in next(iter(found.forge.notes.values()))[0]
