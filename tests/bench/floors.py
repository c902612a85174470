"""What nobody can be faster than: bare Python's start, round trips, and a client with no duties."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from tests.bench.measure import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.api import Api

#: Round trips until a new connection can ask: TCP's handshake, and that of TLS 1.3.
CONNECT = 2
#: A run that may write asks at least this one after the other: look, take the lock, let it go.
LEAST = 3
_COLLECTIONS = {"ConfigMap": "api/v1", "Service": "api/v1", "Deployment": "apis/apps/v1"}


def python(times: int = 5) -> float:
    """Seconds of a Python that does nothing; site included, as every program of pip's has it."""
    return statistics.median(run([sys.executable, "-c", "pass"]).wall for _ in range(times))


def trips(number: int, milliseconds: int) -> float:
    """Seconds of round trips one after the other."""
    return number * milliseconds / 1000


def bare(api: Api, namespace: str, objects: Sequence[dict[str, Any]]) -> float:
    """Seconds in which the server makes a namespace and these objects, and Deployments are ready.

    Everything at once, nothing checked: what of an ``up`` is the server's own.
    """
    began = time.monotonic()
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    left = {o["metadata"]["name"] for o in objects if o["kind"] == "Deployment"}

    async def until_ready() -> None:
        async for _, found in api.watched(deployments):
            if (found.get("status") or {}).get("availableReplicas"):
                left.discard(found["metadata"]["name"])
            if not left:
                return

    ready = asyncio.run_coroutine_threadsafe(until_ready(), api.loop)
    api.all(("POST", _collection(namespace, found), found) for found in objects)
    if left:
        ready.result(600)
    ready.cancel()
    return time.monotonic() - began


def _collection(namespace: str, found: dict[str, Any]) -> str:
    group = _COLLECTIONS[found["kind"]]
    return f"/{group}/namespaces/{namespace}/{found['kind'].lower()}s"


def write(api: Api, times: int = 20) -> float:
    """Seconds of one small write on a connection that is open already."""
    path = "/api/v1/namespaces/default/configmaps/bench-floor"
    if api.call("GET", path) is None:
        api.call("POST", path.rpartition("/")[0], {"metadata": {"name": "bench-floor"}})
    return statistics.median(_written(api, path, number) for number in range(times))


def _written(api: Api, path: str, number: int) -> float:
    data = {"data": {"at": f"{time.time()} {number}"}}
    began = time.monotonic()
    api.call("PATCH", path, data, "application/merge-patch+json")
    return time.monotonic() - began
