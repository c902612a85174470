# ruff: noqa: PT012 - a lock is a block
from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import EnvctlError, Locked, Superseded, Unavailable
from envctl.model.environment import SYSTEM_NAMESPACE, Environment
from envctl.model.lease import DURATION, PIPELINE, WANTED_BY
from envctl.model.objects import LEASE, NAMESPACE, Resource
from envctl.ports import attempt
from envctl.ports.cluster import Terminating
from envctl.workflow.lock import Lock
from tests.unit.fakes import FakeCluster, nothing
from tests.unit.virtual import FakeClock, VirtualLoop, virtually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NAME = "shop-fix"
KEY = ("coordination.k8s.io", "Lease", SYSTEM_NAMESPACE, NAME)
ROLE = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)


def cluster() -> FakeCluster:
    found = FakeCluster()
    found.put(NAMESPACE, {"metadata": {"name": SYSTEM_NAMESPACE}})
    return found


def lock(found: FakeCluster, run: str, pipeline: str = "", skew: float = 0.0, **more: Any) -> Lock:
    environment = Environment("shop", "fix", NAME, pipeline=pipeline)
    return Lock(found, FakeClock(skew), environment, lambda _: None, run_id=run, **more)


def lease(found: FakeCluster) -> dict[str, Any]:
    return found.store[KEY]


def abandoned(found: FakeCluster, holder: str = "dead", pipeline: str = "") -> None:
    """A lease whose holder was killed, stamped by a clock that is an hour ahead."""
    notes = {PIPELINE: pipeline} if pipeline else {}
    found.put(
        LEASE,
        {
            "metadata": {"name": NAME, "namespace": SYSTEM_NAMESPACE, "annotations": notes},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": int(DURATION),
                     "renewTime": "2026-01-01T01:00:00.000000Z"},
        },
    )  # fmt: skip


def timed(work: Callable[[], Awaitable[None]]) -> float:
    async def go() -> float:
        await work()
        return asyncio.get_running_loop().time()

    return virtually(go())


def test_a_free_lock_is_taken_and_given_back() -> None:
    found = cluster()

    async def work() -> None:
        async with lock(found, "one", "7").held() as held:
            assert lease(found)["spec"]["holderIdentity"] == "one"
            await held.check()

    assert timed(work) < 1
    assert lease(found)["spec"]["holderIdentity"] == ""
    assert lease(found)["metadata"]["annotations"][PIPELINE] == "7"


def test_it_is_given_back_in_one_request_and_anew_where_somebody_left_word() -> None:
    found = cluster()

    async def work(word: str) -> list[str]:
        async with lock(found, "one", "7").held():
            if word:
                meta = lease(found)["metadata"]
                noted = {**meta["annotations"], WANTED_BY: word}
                found.put(LEASE, {**lease(found), "metadata": {**meta, "annotations": noted}})
            before = len(found.calls)
        return [verb for verb, _ in found.calls[before:]]

    assert virtually(work("")) == ["replace"]
    assert virtually(work("9")) == ["replace", "get", "replace"]
    assert lease(found)["spec"]["holderIdentity"] == ""
    assert lease(found)["metadata"]["annotations"][WANTED_BY] == "9", "the word stays"


def test_a_system_namespace_that_is_going_is_waited_for() -> None:
    """Who removes a set-up removes envctl-system with it; a run meanwhile is not refused."""
    found = cluster()

    def going(verb: str, what: str) -> None:
        if verb == "create" and what == f"Lease/{NAME}" and asyncio.get_running_loop().time() < 5:
            raise Terminating("The cluster did not create it.", why="It is being terminated.")

    found.before = going

    async def work() -> None:
        async with lock(found, "one").held():
            assert lease(found)["spec"]["holderIdentity"] == "one"

    assert 5 <= timed(work) < 7


def test_a_system_namespace_that_never_goes_is_said() -> None:
    found = cluster()

    def going(verb: str, what: str) -> None:
        if verb == "create" and what == f"Lease/{NAME}":
            raise Terminating("The cluster did not create it.", why="It is being terminated.")

    found.before = going

    async def work() -> None:
        with pytest.raises(Unavailable, match="could not be made"):
            async with lock(found, "one", patience=20.0).held():
                pass

    assert 20 <= timed(work) < 22


def test_the_system_namespace_is_made_when_it_is_missing() -> None:
    found = FakeCluster()

    async def work() -> None:
        async with lock(found, "one").held():
            pass

    timed(work)
    assert ("", "Namespace", "", SYSTEM_NAMESPACE) in found.store


@pytest.mark.parametrize("skew", [0.0, 3600.0, -3600.0])
def test_a_dead_holder_is_replaced_after_its_duration_was_seen_to_pass(skew: float) -> None:
    found = cluster()
    abandoned(found)

    async def work() -> None:
        async with lock(found, "two", skew=skew).held():
            assert lease(found)["spec"]["holderIdentity"] == "two"

    assert DURATION < timed(work) < DURATION + 2


def test_a_holder_that_renews_is_never_replaced_however_wrong_the_clocks_are() -> None:
    found = cluster()
    refused: list[EnvctlError] = []

    async def second() -> None:
        await asyncio.sleep(1)
        try:
            async with lock(found, "two", skew=3600, patience=200).held():
                pytest.fail("two hold the lock")
        except Locked as error:
            refused.append(error)

    async def work() -> None:
        other = asyncio.ensure_future(second())
        async with lock(found, "one", skew=-3600).held() as held:
            await asyncio.sleep(250)
            await held.check()
        await other

    timed(work)
    assert refused[0].exit_code == 75
    assert "one" in str(refused[0])


def test_two_that_start_at_once_take_turns() -> None:
    found = cluster()
    inside: list[str] = []

    async def one(name: str) -> None:
        async with lock(found, name).held():
            inside.append(name)
            await asyncio.sleep(20)
            assert inside[-1] == name
            inside.append(name)

    async def work() -> None:
        await asyncio.gather(one("a"), one("b"), one("c"))

    timed(work)
    assert [inside[i] == inside[i + 1] for i in (0, 2, 4)] == [True] * 3


def test_an_older_pipeline_is_refused_at_once() -> None:
    found = cluster()
    abandoned(found, holder="", pipeline="9")

    async def work() -> None:
        with pytest.raises(Superseded, match="Pipeline 9") as caught:
            async with lock(found, "old", "8").held():
                pass
        assert caught.value.exit_code == 79

    assert timed(work) < 1
    assert lease(found)["spec"]["holderIdentity"] == ""
    assert found.writes == []


def test_the_same_pipeline_may_run_again() -> None:
    found = cluster()
    abandoned(found, holder="", pipeline="9")

    async def work() -> None:
        async with lock(found, "again", "9").held():
            pass

    assert timed(work) < 1


def test_a_newer_pipeline_asks_and_the_older_one_lets_go() -> None:
    found = cluster()
    story: list[str] = []

    async def older() -> None:
        with pytest.raises(Superseded, match="Pipeline 8"):
            async with lock(found, "older", "7").held() as held:
                try:
                    while True:
                        await held.check()
                        story.append("older writes")
                        await asyncio.sleep(0.4)
                finally:
                    story.append("older ends")

    async def newer() -> None:
        await asyncio.sleep(3)
        async with lock(found, "newer", "8").held():
            story.append("newer writes")

    async def work() -> None:
        await asyncio.gather(older(), newer())

    assert timed(work) < 5, "the older one looks each second, not only when it renews"
    assert story[-2:] == ["older ends", "newer writes"]
    assert lease(found)["metadata"]["annotations"] == {PIPELINE: "8"}


def test_after_a_long_pause_the_cluster_is_asked_before_the_next_write() -> None:
    found = cluster()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        with pytest.raises(Locked, match="taken over"):
            async with lock(found, "sleepy").held() as held:
                loop.pass_(3600)
                abandoned(found, holder="other")
                await held.check()
                pytest.fail("wrote without the lock")

    timed(work)
    assert lease(found)["spec"]["holderIdentity"] == "other"


def test_a_pause_during_which_nobody_came_costs_one_renewal() -> None:
    found = cluster()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        async with lock(found, "sleepy").held() as held:
            before = len(found.calls)
            await held.check()
            assert len(found.calls) == before
            loop.pass_(3600)
            await held.check()
            assert found.calls[-1][0] == "replace"

    timed(work)


def test_an_ordinary_renewal_is_one_request() -> None:
    found = cluster()

    async def work() -> None:
        async with lock(found, "steady").held():
            before = len(found.calls)
            await asyncio.sleep(DURATION * 0.4)
            assert found.calls[before:] == [("replace", f"Lease/{NAME}")]

    timed(work)


def test_a_lock_that_is_taken_while_it_is_verified_is_lost() -> None:
    found = cluster()

    def take_over(verb: str, what: str) -> None:
        del what
        if verb == "replace":
            found.before = nothing
            abandoned(found, holder="other")

    async def work() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        with pytest.raises(Locked):
            async with lock(found, "sleepy").held() as held:
                loop.pass_(3600)
                found.before = take_over
                await held.check()
                pytest.fail("wrote without the lock")

    timed(work)


def test_who_cannot_renew_stops_before_another_may_begin() -> None:
    found = cluster()

    def away(verb: str, what: str) -> None:
        raise Unavailable(f"no answer to {verb} {what}")

    async def work() -> None:
        with pytest.raises(Locked, match="could not be renewed"):
            async with lock(found, "cut off").held() as held:
                found.before = away
                for _ in range(100):
                    await asyncio.sleep(1)
                    await held.check()
                pytest.fail("went on without the cluster")

    assert timed(work) <= DURATION + 12


class Hanging(FakeCluster):
    """A cluster of which one request hangs, until the asker gives it up."""

    hang: str = ""

    async def _call(self, verb: str, resource: Resource, name: str) -> None:
        if self.hang == verb and resource is LEASE:
            self.hang = ""
            await asyncio.sleep(attempt.remaining(30.0))
            raise Unavailable("silent")
        await super()._call(verb, resource, name)


@pytest.mark.parametrize("verb", ["get", "replace"])
@pytest.mark.parametrize("pipeline", ["", "7"])
def test_a_request_that_hangs_does_not_cost_the_lock(verb: str, pipeline: str) -> None:
    found = Hanging()
    found.put(NAMESPACE, {"metadata": {"name": SYSTEM_NAMESPACE}})

    async def work() -> None:
        async with lock(found, "steady", pipeline).held() as held:
            found.hang = verb
            for _ in range(60):
                await asyncio.sleep(1)
                await held.check()
            found.hang = verb  # and the last word is said all the same

    assert timed(work) < 60 + DURATION
    assert lease(found)["spec"]["holderIdentity"] == ""


def test_who_is_asked_to_let_go_keeps_the_lock_until_its_last_write_has_ended() -> None:
    found, order = cluster(), list[str]()

    async def older() -> None:
        with pytest.raises(Superseded):
            async with lock(found, "older", "1").held():
                try:
                    await asyncio.sleep(1000)
                finally:
                    await asyncio.sleep(3 * DURATION)  # a helm that takes its time to end
                    order.append("older")

    async def newer() -> None:
        await asyncio.sleep(1)
        async with lock(found, "newer", "2").held():
            order.append("newer")

    async def work() -> None:
        await asyncio.gather(older(), newer())

    timed(work)
    assert order == ["older", "newer"]


def test_what_a_stopped_run_remembers_too_late_is_refused_by_the_server() -> None:
    """Between the question and the write another run has taken over and let go again."""
    found = cluster()

    async def work() -> None:
        with pytest.raises(Superseded):
            async with lock(found, "one", "1").held() as held:

                def taken(verb: str, what: str) -> None:
                    if (verb, what) == ("replace", f"Lease/{NAME}"):
                        found.before = nothing
                        abandoned(found, holder="", pipeline="2")

                found.before = taken
                await held.remember([ROLE])

    timed(work)
    assert "envctl.dev/cluster-scoped" not in lease(found)["metadata"]["annotations"]


def test_a_slow_answer_to_the_first_request_is_counted_from_before_it() -> None:
    found = cluster()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)

        def slow(verb: str, what: str) -> None:
            if (verb, what) == ("create", f"Lease/{NAME}"):
                found.before = nothing
                loop.pass_(DURATION + 1)

        found.before = slow
        async with lock(found, "one").held() as held:
            before = len(found.calls)
            await held.check()
            assert len(found.calls) > before

    timed(work)


def test_only_its_own_lock_is_released() -> None:
    found = cluster()

    async def work() -> None:
        with contextlib.suppress(Locked):
            async with lock(found, "one").held():
                abandoned(found, holder="other")

    timed(work)
    assert lease(found)["spec"]["holderIdentity"] == "other"


def test_what_lies_outside_is_remembered_until_it_is_gone() -> None:
    found = cluster()

    async def work() -> None:
        async with lock(found, "one").held() as held:
            await held.remember([ROLE])
        async with lock(found, "two").held() as held:
            assert held.outside() == [ROLE]
            before = len(found.calls)
            await held.remember([ROLE])
            assert len(found.calls) == before
            await held.forget()
            assert held.outside() == []

    timed(work)


def edited(found: FakeCluster, times: int) -> Callable[[str, str], None]:
    """Somebody else changes the Lease in front of each of so many writes."""

    def edit(verb: str, what: str) -> None:
        nonlocal times
        if (verb, what) == ("replace", f"Lease/{NAME}") and times:
            times -= 1
            meta = lease(found)["metadata"]
            notes = {**meta.get("annotations", {}), "note": str(times)}
            found.put(LEASE, {**lease(found), "metadata": {**meta, "annotations": notes}})

    return edit


def test_what_is_remembered_leaves_what_others_wrote_in_between() -> None:
    found = cluster()

    async def work() -> None:
        async with lock(found, "one").held() as held:
            found.before = edited(found, 2)
            await held.remember([ROLE])
            notes = lease(found)["metadata"]["annotations"]
            assert notes["note"] == "0"
            assert held.outside() == [ROLE]
            assert "clusterroles" in notes["envctl.dev/cluster-scoped"].lower()

    timed(work)


def test_a_lease_that_never_rests_ends_the_run_before_anything_is_made_outside() -> None:
    found = cluster()

    async def work() -> None:
        async with lock(found, "one").held() as held:
            found.before = edited(found, 10**6)
            with pytest.raises(Unavailable, match="changed"):
                await held.remember([ROLE])
            found.before = nothing

    timed(work)
    assert "envctl.dev/cluster-scoped" not in lease(found)["metadata"]["annotations"]


def test_no_question_is_asked_while_the_last_renewal_is_young() -> None:
    found = cluster()

    async def work() -> None:
        async with lock(found, "one", "7").held() as held:
            for _ in range(40):  # a run's whole life, in which the renewals go on
                await asyncio.sleep(1.5)
                before = found.requests
                await held.check()
                assert found.requests == before

    timed(work)


def test_a_run_that_waits_says_so_once_and_tells_of_a_takeover() -> None:
    found, said = cluster(), []
    abandoned(found)

    async def work() -> None:
        waiting = lock(found, "two")
        waiting.say = said.append
        async with waiting.held():
            pass

    timed(work)
    assert said == [
        "waiting for the run dead that works on fix",
        "the run dead has not renewed its lock; taking it over",
    ]


def test_a_free_lock_is_taken_without_a_word() -> None:
    found, said = cluster(), []

    async def work() -> None:
        for run in ("one", "two"):
            free = lock(found, run)
            free.say = said.append
            async with free.held():
                pass

    timed(work)
    assert said == []


def test_a_run_without_a_pipeline_may_work_where_pipelines_have() -> None:
    found = cluster()
    abandoned(found, holder="", pipeline="9")

    async def work() -> None:
        async with lock(found, "laptop").held():
            assert lease(found)["spec"]["holderIdentity"] == "laptop"

    timed(work)
    assert lease(found)["metadata"]["annotations"][PIPELINE] == "9"


def test_what_this_run_took_without_hearing_of_it_is_its_own_at_once() -> None:
    """The answer to the taking was lost; a retry finds the lease in its own name."""
    found = cluster()
    abandoned(found, holder="one")

    async def work() -> None:
        async with lock(found, "one").held() as held:
            await held.check()

    assert timed(work) < 1


def test_a_lease_that_somebody_edits_stays_its_holders() -> None:
    found = cluster()

    async def work() -> None:
        async with lock(found, "laptop").held() as held:
            for number in range(8):
                await asyncio.sleep(7)
                edited = lease(found)
                edited["metadata"]["annotations"] = {"example.org/note": str(number)}
                found.put(LEASE, edited)
                await held.check()

    assert timed(work) < 60


def test_the_word_of_a_newer_pipeline_is_not_renewed_away() -> None:
    """Whoever renews has looked: the older run ends by the word, not by a takeover."""
    found = cluster()

    async def work() -> None:
        with pytest.raises(Superseded, match="Pipeline 9"):
            async with lock(found, "older", "7").held():
                await asyncio.sleep(2)
                asked = lease(found)
                asked["metadata"]["annotations"] |= {WANTED_BY: "9"}
                found.put(LEASE, asked)
                await asyncio.sleep(DURATION)

    assert timed(work) < 2 + 2
    assert lease(found)["spec"]["holderIdentity"] == ""
