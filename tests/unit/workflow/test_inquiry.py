"""What is asked about a failing pod beyond its status: each question once, and no verdict early."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from envctl.model.objects import CONFIG_MAP, SECRET, Key, Obj
from envctl.workflow.inquiry import GRACE, Inquiry
from envctl.workflow.tracker import Tracker
from tests.unit.fakes import FakeCluster

NS = "shop-fix"
FOREIGN = "exec /bin/app: exec format error"
NO_MAP = 'configmap "settings" not found'
NO_KEY = "couldn't find key url in ConfigMap shop-fix/settings"


class Cluster(FakeCluster):
    """Containers that have said something."""

    words: tuple[str, ...] = ()
    asked: int = 0

    async def logs(self, *_: Any, **__: Any) -> list[str]:
        self.asked += 1
        return list(self.words)


def a_run(cluster: FakeCluster, *planned: Key) -> Any:
    return SimpleNamespace(
        cluster=cluster,
        tracker=Tracker(cluster, NS),
        environment=SimpleNamespace(namespace=NS),
        planned=frozenset(planned),
    )


def pod(uid: str = "u", **state: Any) -> Obj:
    """One container; ``state`` as in its status."""
    return {
        "metadata": {"name": "web-1", "namespace": NS, "uid": uid},
        "spec": {"containers": [{"name": "web"}], "restartPolicy": "Always"},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "web", **state}]},
    }


def crashed() -> Obj:
    return pod(
        restartCount=1,
        state={"waiting": {"reason": "CrashLoopBackOff"}},
        lastState={"terminated": {"exitCode": 1, "reason": "Error"}},
    )


def missing(message: str) -> Obj:
    return pod(state={"waiting": {"reason": "CreateContainerConfigError", "message": message}})


def ask(inquiry: Inquiry, run: Any, *pods: Obj, now: float = 0.0) -> None:
    asyncio.run(inquiry.ask(run, list(pods), now))


@pytest.mark.parametrize(
    ("words", "hopeless"), [((FOREIGN,), {"u"}), (("connection refused",), set()), ((), set())]
)
def test_only_the_runtimes_own_last_words_are_final(
    words: tuple[str, ...], hopeless: set[str]
) -> None:
    cluster, inquiry = Cluster(), Inquiry()
    cluster.words = words
    ask(inquiry, a_run(cluster), crashed())
    assert inquiry.hopeless == hopeless


def test_a_containers_last_words_are_read_once_and_each_pods_own() -> None:
    cluster, inquiry = Cluster(), Inquiry()
    run = a_run(cluster)
    for _ in range(3):
        ask(inquiry, run, crashed())
    first = cluster.asked
    ask(inquiry, run, crashed())
    assert cluster.asked == first > 0
    other = crashed()
    other["metadata"]["uid"] = "v"
    ask(inquiry, run, other)
    assert cluster.asked == 2 * first


def test_a_pod_that_runs_is_not_asked_about() -> None:
    cluster, inquiry = Cluster(), Inquiry()
    ask(inquiry, a_run(cluster), pod(state={"running": {}}))
    assert (cluster.asked, cluster.requests) == (0, 0)
    assert not inquiry.excused
    assert not inquiry.left


def test_what_this_run_makes_is_waited_for_however_long() -> None:
    inquiry, run = Inquiry(), a_run(Cluster(), Key("", "ConfigMap", NS, "settings"))
    for now in (0.0, 100 * GRACE):
        ask(inquiry, run, missing(NO_MAP), now=now)
        assert inquiry.excused == {"u"}
        assert not inquiry.left
    assert run.cluster.requests == 0


@pytest.mark.parametrize(
    "planned",
    [Key("", "Secret", NS, "settings"), Key("", "ConfigMap", "other", "settings"),
     Key("", "ConfigMap", NS, "setting")],
)  # fmt: skip
def test_what_this_run_makes_is_that_very_object(planned: Key) -> None:
    inquiry, run = Inquiry(), a_run(Cluster(), planned)
    ask(inquiry, run, missing(NO_MAP))
    assert inquiry.left == GRACE, "and not excused for good"


def test_a_key_that_is_missing_does_not_come_with_what_is_planned() -> None:
    """The object is there already, as this run made it: without the key."""
    inquiry, run = Inquiry(), a_run(Cluster(), Key("", "ConfigMap", NS, "settings"))
    ask(inquiry, run, missing(NO_KEY))
    ask(inquiry, run, missing(NO_KEY), now=GRACE)
    assert not inquiry.excused


def test_somebody_elses_object_gets_a_moment_and_no_more() -> None:
    inquiry, run = Inquiry(), a_run(Cluster())
    ask(inquiry, run, missing(NO_MAP), now=10.0)
    assert (inquiry.excused, inquiry.left) == ({"u"}, GRACE)
    ask(inquiry, run, missing(NO_MAP), now=11.0)
    assert (inquiry.excused, inquiry.left) == ({"u"}, GRACE - 1)
    ask(inquiry, run, missing(NO_MAP), now=10.0 + GRACE)
    assert (inquiry.excused, inquiry.left) == (set(), 0.0)


@pytest.mark.parametrize(
    ("message", "resource", "data", "excused"),
    [
        (NO_MAP, CONFIG_MAP, {}, True),
        (NO_KEY, CONFIG_MAP, {"url": "x"}, True),
        (NO_KEY, CONFIG_MAP, {"other": "x"}, False),
        ('secret "settings" not found', SECRET, {}, True),
        ('secret "settings" not found', CONFIG_MAP, {}, False),
    ],
)
def test_what_has_come_meanwhile_excuses_the_pod_until_the_kubelet_looks(
    message: str, resource: Any, data: dict[str, str], excused: bool
) -> None:
    cluster, inquiry = Cluster(), Inquiry()
    run = a_run(cluster)
    ask(inquiry, run, missing(message))
    cluster.put(resource, {"metadata": {"name": "settings", "namespace": NS}, "data": data})
    ask(inquiry, run, missing(message), now=GRACE)
    assert bool(inquiry.excused) is excused


def test_a_pod_that_lacks_two_is_excused_only_for_both() -> None:
    both = missing(NO_MAP)
    both["status"]["initContainerStatuses"] = [
        {"name": "init", "state": {"waiting": {
            "reason": "CreateContainerConfigError", "message": 'secret "token" not found'}}}
    ]  # fmt: skip
    cluster, inquiry = Cluster(), Inquiry()
    run = a_run(cluster, Key("", "ConfigMap", NS, "settings"))
    ask(inquiry, run, both)
    assert inquiry.excused == {"u"}
    ask(inquiry, run, both, now=GRACE)
    assert inquiry.excused == set()
