"""When the cluster itself knew: its records of a namespace, as they were written.

Watches of our own beside the run, because a record may be gone when the run has ended (the pod of
a Job that was too late) and an event's own times are whole seconds.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.node import Node

PATHS = (
    "/api/v1/namespaces/{namespace}/pods",
    "/api/v1/namespaces/{namespace}/events",
    "/apis/apps/v1/namespaces/{namespace}/deployments",
    "/apis/batch/v1/namespaces/{namespace}/jobs",
)


@dataclass(frozen=True, slots=True)
class Record:
    """What an object said at a time (seconds since the epoch, when it reached us)."""

    seen: float
    text: str
    ended: float | None


@dataclass(slots=True)
class Records:
    """Everything the namespace's objects said while it was watched."""

    found: list[Record] = field(default_factory=list)

    def first(self, sign: str) -> float | None:
        """When a record first matched: by its own clock if that is earlier than its arrival.

        A container's end has a time of its own, in whole seconds: it is rounded up, so that
        nobody is thought to have known it before it was.
        """
        for record in self.found:
            if re.search(sign, record.text, re.IGNORECASE):
                own = record.ended + 1 if record.ended else record.seen
                return min(own, record.seen)
        return None


@contextlib.contextmanager
def watched(node: Node, namespace: str, more: tuple[str, ...] = ()) -> Iterator[Records]:
    """Records of the namespace, which need not exist yet, for as long as the block runs."""
    from kubernetes.config import new_client_from_config

    records, over = Records(), threading.Event()
    client = new_client_from_config(str(node.kubeconfig), node.context, persist_config=False)
    for path in (*PATHS, *more):
        ready = threading.Event()
        arguments = (client, path.format(namespace=namespace), records, ready, over)
        threading.Thread(target=_follow, args=arguments, daemon=True).start()
        assert ready.wait(60), f"no answer to a watch of {path}"
    try:
        yield records
    finally:
        over.set()


def _follow(
    client: Any, path: str, records: Records, ready: threading.Event, over: threading.Event
) -> None:
    """Watch until it is over; a watch that ends is opened again, from the present state."""
    while not over.is_set():
        with contextlib.suppress(Exception):  # the server is asked again
            _follow_once(client, path, records, ready)


def _follow_once(client: Any, path: str, records: Records, ready: threading.Event) -> None:
    query = [("watch", "1"), ("timeoutSeconds", "300")]
    answer = client.call_api(
        *client.param_serialize("GET", path, query_params=query, auth_settings=["BearerToken"])
    ).response
    ready.set()
    rest = b""
    for chunk in answer.stream(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        now = time.time()
        records.found += [_record(json.loads(line)["object"], now) for line in lines if line]


def _record(found: dict[str, Any], now: float) -> Record:
    """What the object says of itself, without what was asked of it."""
    kept = {k: v for k, v in found.items() if k not in ("metadata", "spec", "data")}
    ends = [
        ended["finishedAt"]
        for kind in ("containerStatuses", "initContainerStatuses")
        for status in (kept.get("status") or {}).get(kind) or []
        for when in ("state", "lastState")
        if (ended := (status.get(when) or {}).get("terminated")) and ended.get("finishedAt")
    ]
    newest = max(map(datetime.fromisoformat, ends), default=None)
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Record(now, text, newest.timestamp() if newest else None)
