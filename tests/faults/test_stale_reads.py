"""What is read from the past, twice, in another order or not at all leads to no wrong result."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING

import pytest

from envctl.adapters.kubernetes.cluster import KubernetesCluster
from envctl.adapters.kubernetes.connect import Target
from envctl.model.objects import NAMESPACE
from tests.faults import etcd, race_app
from tests.faults.lies import Expiring, Missing, Twice
from tests.faults.proxy import Exchange, in_thread
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from aiohttp import web

    from tests.faults.race_world import World
    from tests.faults.zygote import Process, Zygote

pytestmark = pytest.mark.xdist_group("races")


class Place:
    """An environment of a test's own on the control plane, and envctl for it."""

    def __init__(self, world: World, zygote: Zygote, folder: Path) -> None:
        self.world, self.zygote, self.folder = world, zygote, folder
        self.project = f"s-{uuid.uuid4().hex[:6]}"
        self.namespace = f"{self.project}-it"
        self.kubeconfig = world.node.kubeconfig

    def write(self, by: str, **changes: str) -> None:
        race_app.write(self.folder, self.project, self.world.node.context, by)
        for name, text in changes.items():
            path = self.folder / f"{name}.yaml"
            path.write_text(path.read_text().replace(*text.split(" -> ")))

    def start(self, verb: str) -> Process:
        context = ["--context", self.world.node.context, "--project", self.project]
        words = {
            "up": ["up", "--name", "it", "--no-report", "-o", "json"],
            "down": ["down", *context, "--name", "it", "--no-report", "-o", "json"],
            "gc": ["gc", *context, "-o", "json"],
            "plan": ["plan", "--name", "it", "--detailed-exitcode"],
        }
        env = {"KUBECONFIG": str(self.kubeconfig), "ENVCTL_CLUSTER_SCOPED": "PriorityClass"}
        return self.zygote.start(words[verb], cwd=self.folder, env=env)

    def run(self, verb: str) -> int:
        return self.start(verb).wait(150)

    def stands(self, by: str) -> bool:
        return race_app.standing(self.world.kubectl, self.namespace) == race_app.wanted(by)


@pytest.fixture
def place(world: World, zygote: Zygote, tmp_path: Path) -> Place:
    return Place(world, zygote, tmp_path / "app")


@pytest.mark.parametrize("bent", [Twice, Missing, Expiring])
def test_a_watch_that_lies_makes_no_broken_environment_a_success_and_no_healthy_one_a_failure(
    place: Place, tmp_path: Path, bent: Callable[[str], Callable[[bytes], Iterable[bytes]]]
) -> None:
    async def handle(exchange: Exchange) -> web.StreamResponse:
        if not exchange.watches:
            return await exchange.pass_on()
        if bent is Expiring and Expiring.refuses(exchange):
            return exchange.answer(410, "Expired", "too old resource version")
        return await exchange.deliver(await exchange.ask(), line=bent(exchange.path))

    place.write("one", envctl="timeout: 120s -> timeout: 20s")
    with in_thread(place.kubeconfig, tmp_path / "proxy", handle) as proxy:
        place.kubeconfig = proxy.kubeconfig
        up = place.start("up")
        code = up.wait(150)
        # A change that is never told may cost the time that the file allows, and that is said.
        assert code == 0 or (code == 124 and bent is Missing), up.stderr
        place.write(
            "two", envctl="timeout: 120s -> timeout: 12s",
            web="    spec:\n ->     spec:\n      nodeSelector: {no: node}\n",
        )  # fmt: skip
        assert place.run("up") in (1, 124)
    place.kubeconfig = place.world.node.kubeconfig
    place.write("three")
    assert place.run("up") == 0
    assert place.stands("three")
    assert place.run("plan") == 0
    assert bent is not Expiring or max(Expiring.opened.values()) > 2


def test_lists_from_the_past_delete_nothing_that_is_used_and_hide_nothing(
    place: Place, tmp_path: Path
) -> None:
    past: dict[str, tuple[bytes, dict[str, str]]] = {}

    async def handle(exchange: Exchange) -> web.StreamResponse:
        url = exchange.request.raw_path
        answer = await exchange.ask()
        listed = exchange.method == "GET" and not exchange.watches and "?limit=" in url
        if not listed or answer.status != 200:
            return await exchange.deliver(answer)
        if "namespaces?" in url or place.namespace in url:
            past.setdefault(url, (await answer.read(), {}))
            return await exchange.deliver(answer, body=lambda _: past[url][0])
        return await exchange.deliver(answer)

    place.write("one")
    assert place.run("up") == 0
    kubectl = place.world.kubectl
    kubectl.run(
        "annotate", "namespace", place.namespace, "--overwrite",
        "envctl.dev/expires-at=2020-01-01T00:00:00Z",
        "envctl.dev/last-used-at=2020-01-01T00:00:00Z",
    )  # fmt: skip
    real = place.kubeconfig
    with in_thread(real, tmp_path / "proxy", handle) as proxy:
        place.kubeconfig = proxy.kubeconfig
        seen = place.zygote.start(
            ["gc", "--dry-run", "--context", place.world.node.context, "--project", place.project,
             "-o", "json"],
            cwd=place.folder, env={"KUBECONFIG": str(proxy.kubeconfig)},
        )  # fmt: skip
        assert seen.wait(60) == 0, seen.stderr
        assert past
        place.kubeconfig = real
        place.write("two")
        assert place.run("up") == 0
        place.kubeconfig = proxy.kubeconfig
        collected = place.start("gc")
        assert collected.wait(120) == 0, collected.stderr
        assert json.loads(collected.stdout)["deleted"] == []
        assert place.stands("two")
        assert place.run("down") == 0
    assert race_app.standing(kubectl, place.namespace) == {}


def test_a_stranger_that_takes_the_name_between_the_look_and_the_deletion_loses_nothing(
    place: Place, tmp_path: Path
) -> None:
    place.write("one")
    assert place.run("up") == 0
    kubectl = place.world.kubectl
    theirs: list[str] = []

    def replace() -> None:
        done = kubectl.run("delete", "namespace", place.namespace, "--grace-period=1")
        assert done.returncode == 0, done
        kubectl.apply(STRANGERS.format(name=place.namespace))
        theirs.extend(_uids(place))

    async def handle(exchange: Exchange) -> web.StreamResponse:
        mine = exchange.path == f"/api/v1/namespaces/{place.namespace}"
        if mine and exchange.method == "DELETE" and not theirs:
            await asyncio.to_thread(replace)
        return await exchange.pass_on()

    with in_thread(place.kubeconfig, tmp_path / "proxy", handle) as proxy:
        place.kubeconfig = proxy.kubeconfig
        down = place.start("down")
        assert down.wait(120) == 0, down.stderr
        assert json.loads(down.stdout)["result"] == "gone"
    assert len(theirs) == 3
    assert _uids(place) == theirs


STRANGERS = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {name}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: theirs, namespace: {name}}}
spec: {{automountServiceAccountToken: false, containers: [{{name: a, image: example.org/a}}]}}
"""


def _uids(place: Place) -> list[str]:
    """UIDs of the stranger's objects that are there and stay."""
    found = [
        *place.world.kubectl.items(
            "namespaces", "--field-selector", f"metadata.name={place.namespace}"
        ),
        *place.world.kubectl.items("configmaps,pods", "-n", place.namespace),
    ]
    return [
        obj["metadata"]["uid"]
        for obj in found
        if "deletionTimestamp" not in obj["metadata"]
        and obj["metadata"]["name"] != "kube-root-ca.crt"
    ]


@pytest.mark.parametrize("number", [1, 2])
def test_what_another_takes_over_between_the_look_and_the_deletion_stays(
    place: Place, tmp_path: Path, number: int
) -> None:
    """An object outside of the namespace, by a stolen label, in front of each deletion of it."""
    place.write("one")
    assert place.run("up") == 0
    kubectl, name = place.world.kubectl, f"{place.namespace}-one"
    struck: list[str] = []

    def take() -> None:
        done = kubectl.run(
            "label", "priorityclass", name, "--overwrite", "envctl.dev/project=theirs",
            "app.kubernetes.io/managed-by=them",
        )  # fmt: skip
        assert done.returncode == 0, done

    async def handle(exchange: Exchange) -> web.StreamResponse:
        if exchange.method == "DELETE" and exchange.path.endswith(f"/priorityclasses/{name}"):
            struck.append(exchange.path)
            if len(struck) == 1:
                await asyncio.to_thread(take)
        return await exchange.pass_on()

    with in_thread(place.kubeconfig, tmp_path / "proxy", handle) as proxy:
        place.kubeconfig = proxy.kubeconfig
        if number == 1:
            assert place.run("down") == 0
        else:  # it leaves the source, and is pruned
            place.write("two")
            assert place.run("up") in (0, 1)
    assert struck
    assert kubectl.exists("priorityclass", name)
    kubectl.run("delete", "priorityclass", name)


def test_an_api_server_that_is_restarted_in_the_middle_is_waited_for(place: Place) -> None:
    """And has forgotten what was, as etcd was compacted: watches cannot go on where they were."""
    from tests.cluster.node import Envctl

    place.write("one")
    up = place.start("up")
    until(lambda: place.world.kubectl.exists("namespace", place.namespace))
    space = place.world.kubectl("get", "namespace", place.namespace)
    assert etcd.compact(place.world.node) > int(space["metadata"]["resourceVersion"])
    envctl, name = Envctl(), place.world.node.name
    envctl("local", "stop", "--name", name, check=0)
    envctl(
        "local", "start", "--name", name, "--profile", "control-plane", "--nodes-fake", "2",
        check=0,
    )  # fmt: skip
    assert up.wait(200) in (0, 75), up.stderr
    assert asyncio.run(_told(place, space["metadata"]["resourceVersion"])) == ["RESYNC", "ADDED"]
    assert place.run("up") == 0
    assert place.stands("one")
    assert place.run("plan") == 0


async def _told(place: Place, since: str) -> list[str]:
    """What a watch is told first that knows the cluster as it was."""
    node = place.world.node
    cluster = KubernetesCluster(Target(node.context, str(node.kubeconfig)))
    try:
        async with asyncio.timeout(60):
            changes = cluster.watch(NAMESPACE, "", since=since)
            return [(await anext(changes)).type for _ in range(2)]
    finally:
        await cluster.close()
