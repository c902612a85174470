"""A process that was stopped and goes on cuts its connections: what it was reading is read anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from envctl.adapters.kubernetes.cluster import KubernetesCluster
from envctl.adapters.kubernetes.connect import Target
from envctl.model.objects import CONFIG_MAP

if TYPE_CHECKING:
    from tests.cluster.node import Kubectl, Node

#: Far below the 90 seconds after which a silent watch is opened anew anyway.
SECONDS = 20.0


async def test_a_watch_that_is_cut_goes_on(node: Node, kubectl: Kubectl, project: str) -> None:
    namespace = f"{project}-cut"
    kubectl.run("create", "namespace", namespace)
    kubectl.run("create", "configmap", "settings", "-n", namespace)
    cluster = KubernetesCluster(Target(node.context, str(node.kubeconfig)))
    changes = cluster.watch(CONFIG_MAP, namespace, "settings")
    try:
        assert (await anext(changes)).type == "ADDED"
        for number in ("1", "2"):
            reading = asyncio.ensure_future(anext(changes))
            await asyncio.wait({reading}, timeout=0.5)
            assert not reading.done(), "it waits for what comes"
            cluster.cut()
            done = await asyncio.to_thread(
                kubectl.run, "annotate", "configmap", "settings", f"n={number}", "--overwrite",
                "-n", namespace,
            )  # fmt: skip
            assert done.returncode == 0
            change = await asyncio.wait_for(reading, SECONDS)
            assert change.object["metadata"]["annotations"] == {"n": number}
    finally:
        await cluster.close()
        kubectl.run("delete", "namespace", namespace, "--wait=false")


async def test_requests_that_are_cut_are_sent_anew(node: Node) -> None:
    cluster = KubernetesCluster(Target(node.context, str(node.kubeconfig)))
    try:
        asking = [asyncio.ensure_future(cluster.list(CONFIG_MAP)) for _ in range(10)]
        for _ in range(5):
            await asyncio.wait(asking, timeout=0.01)
            cluster.cut()
        found = await asyncio.wait_for(asyncio.gather(*asking), SECONDS)
        assert all(found)
    finally:
        await cluster.close()
