"""Long answers: watches that outlive their connection, and logs that are bounded."""

from __future__ import annotations

import asyncio
import json
import math
import random
from typing import TYPE_CHECKING, Any

from envctl.adapters.kubernetes import translate
from envctl.adapters.kubernetes.library import aiohttp
from envctl.adapters.lines import bounded
from envctl.adapters.retrying import Transient
from envctl.model.shapes import sound
from envctl.ports import attempt
from envctl.ports.cluster import Change

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from envctl.adapters.kubernetes.cluster import KubernetesCluster
    from envctl.model.objects import Resource

#: Seconds without a byte after which a watch is opened anew: a connection that a firewall forgot
#: looks like a cluster in which nothing happens. Bookmarks come about every minute.
SILENCE = 90.0
#: Seconds before a watch that the server ended in good order is opened again, as it does every
#: few minutes; a proxy that ends each at once must not be asked a thousand times a second.
REOPEN = 0.2
#: Failed attempts to reopen a watch between two lines about it.
TELL_EVERY = 5


async def watch_changes(
    cluster: KubernetesCluster, resource: Resource, namespace: str, name: str, since: str
) -> AsyncIterator[Change]:
    """Yield every object as ADDED, then every change, across disconnects and 410."""
    version, failures = since, 0
    while True:
        try:
            async for change in _watch_once(cluster, resource, namespace, name, version):
                failures = 0
                version = change.object.get("metadata", {}).get("resourceVersion", version)
                if change.type != "BOOKMARK":
                    yield change
            await asyncio.sleep(REOPEN)
        except translate.Expired:
            version = ""
            yield Change("RESYNC", {})
            await asyncio.sleep(REOPEN)
        except Transient as error:
            failures += 1
            delay = min(5.0, 0.1 * 2**failures) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            if failures == 1 or failures % TELL_EVERY == 0:  # several watches break at once
                attempt.report_retry(failures, "watch", str(error), round(delay, 2))
            await asyncio.sleep(max(delay, error.after))


async def _watch_once(
    cluster: KubernetesCluster, resource: Resource, namespace: str, name: str, version: str
) -> AsyncIterator[Change]:
    query: dict[str, Any] = {"watch": "1", "allowWatchBookmarks": "true"}
    if version:
        query["resourceVersion"] = version
    if name:
        query["fieldSelector"] = f"metadata.name={name}"
    response = await cluster.send(
        "GET",
        resource.path(namespace),
        query=query,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE),
        stream=True,
    )
    try:
        if response.status >= 300:
            raise translate.error_for(
                response.status,
                await response.read(),
                response.headers,
                f"watch {resource.plural}",
                cluster.context,
                repeatable=True,
            )
        async for line in response.content:
            yield _change(line, resource, cluster.context)
    except TimeoutError:
        return  # silence, not failure: open it anew from where it was
    except (
        aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError, OSError, ValueError,
        RecursionError,
    ) as error:  # fmt: skip
        raise translate.error_of_connection(error, "the watch", cluster.context) from error
    finally:
        response.close()


def _change(line: bytes, resource: Resource, context: str) -> Change:
    """One event of a watch; raises what an ERROR stands for, ValueError for what is no event."""
    event = json.loads(line)
    if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
        raise ValueError("it is no event of a watch")  # noqa: TRY004 - of JSON, as the parser says
    if event.get("type") == "ERROR":
        raise _error_event(event["object"], context)
    return Change(str(event.get("type")), sound(event["object"], resource))


def _error_event(status: dict[str, Any], context: str) -> Exception:
    said = status.get("code")
    code = said if isinstance(said, int) and said else 500
    return translate.error_for(code, json.dumps(status).encode(), {}, "go on watching", context)


def log_query(
    container: str,
    *,
    tail: int | None = None,
    since: float | None = None,
    follow: bool = False,
    previous: bool = False,
    timestamps: bool = False,
) -> dict[str, Any]:
    """The query of a request for a container's log; ``since`` is seconds back from now."""
    query: dict[str, Any] = {"container": container}
    query |= {"tailLines": tail} if tail is not None else {}
    query |= {"sinceSeconds": max(1, math.ceil(since))} if since is not None else {}
    query |= {"follow": "true"} if follow else {}
    query |= {"previous": "true"} if previous else {}
    return query | ({"timestamps": "true"} if timestamps else {})


async def read_log(
    cluster: KubernetesCluster,
    namespace: str,
    pod: str,
    query: dict[str, Any],
    limit: aiohttp.ClientTimeout,
) -> AsyncGenerator[str]:
    """Yield a container's lines; nothing where it has none (yet), or is gone."""
    response = await cluster.send(
        "GET",
        f"/api/v1/namespaces/{namespace}/pods/{pod}/log",
        query=query,
        accept="*/*",
        timeout=limit,
        stream=True,
    )
    try:
        if response.status in (400, 404, 500):
            return  # waiting to start, no previous container, node not answering: no log to show
        if response.status >= 300:
            raise translate.error_for(
                response.status,
                await response.read(),
                response.headers,
                f"give the log of {pod}",
                cluster.context,
                repeatable=True,
            )
        async for line in bounded(response.content.iter_any()):
            yield line
    except (aiohttp.ClientError, TimeoutError, OSError):
        return  # a log that breaks off is shown as far as it came
    finally:
        response.close()
