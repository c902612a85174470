"""What is collected about a failure, and that no secret is in it, whatever a cluster answers."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import Forbidden, Unavailable
from envctl.model.objects import EVENT, POD, SECRET, Obj
from envctl.workflow.collect import Collector, Masked
from tests.unit.fakes import FakeCluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from envctl.model.evidence import Evidence

CANARY = "c4n4ry-9f3Kq-Zx"
NAMESPACE = "shop-it"


@dataclass
class Memory:
    """A folder in memory."""

    files: dict[str, str] = field(default_factory=dict)

    def text(self, path: str, content: str) -> None:
        self.files[path] = content

    def lines(self, path: str, lines: Iterable[str]) -> None:
        self.files[path] = "\n".join(lines)

    def object(self, path: str, obj: Obj) -> None:
        self.files[path] = repr(obj)


class Talking(FakeCluster):
    """A cluster whose containers say the secret, and whose version is known."""

    async def follow(self, *args: Any, **options: Any) -> AsyncIterator[str]:
        yield f"2026-11-25T08:00:00Z {args[2]} previous={options['previous']} knows {CANARY}"
        yield f"2026-11-25T08:00:00Z {'x' * 9000}{CANARY[:8]}"

    async def call(self, method: str, path: str, body: Obj | None = None) -> Any:
        del method, body
        if path != "/version":
            raise Unavailable("no metrics")
        return {"gitVersion": "v1.37.2", "platform": "linux/amd64"}


def cluster() -> Talking:
    found = Talking()
    value = base64.b64encode(CANARY.encode()).decode()
    found.put(SECRET, {"metadata": {"name": "keys", "namespace": NAMESPACE}, "data": {"k": value}})
    status = {"name": "web", "containerID": "x", "restartCount": 2}
    pod = {
        "metadata": {"name": "web-1", "namespace": NAMESPACE, "annotations": {"a": CANARY}},
        "spec": {"containers": [{"name": "web", "image": "i", "args": [f"--x={CANARY}"],
                                 "env": [{"name": "X", "value": CANARY}]}]},
        "status": {"containerStatuses": [status],
                   "initContainerStatuses": [{**status, "name": "init", "restartCount": 0}]},
    }  # fmt: skip
    uid = found.put(POD, pod)["metadata"]["uid"]
    for number, moment in enumerate(("2026-11-25T09:00:00Z", "2026-11-25T08:00:00Z")):
        event = {
            "metadata": {"name": f"e{number}", "namespace": NAMESPACE},
            "involvedObject": {"kind": "Pod", "name": "web-1", "uid": uid},
            "lastTimestamp": moment, "reason": f"R{number}", "message": f"said {CANARY}",
        }  # fmt: skip
        found.put(EVENT, event)
    return found


def collect(found: FakeCluster, limit: float = 10.0) -> tuple[dict[str, str], Evidence]:
    folder = Memory()
    collector = Collector(found, NAMESPACE, Masked(folder), {})
    return folder.files, asyncio.run(collector.collect(limit))


def test_everything_is_there_and_no_secret() -> None:
    files, evidence = collect(cluster())
    assert {
        "events.txt", "versions.txt", "objects/Pod-web-1.yaml", "describe/Pod-web-1.txt",
        "objects/Secret-keys.yaml", "logs/web-1/web.log", "logs/web-1/web.previous.log",
        "logs/web-1/init.log",
    } <= set(files)  # fmt: skip
    assert evidence.gaps == ()
    everything = "".join([*files, *files.values()])
    assert CANARY not in everything
    assert base64.b64encode(CANARY.encode()).decode() not in everything
    assert CANARY[:8] not in everything
    assert "previous=True knows ***" in files["logs/web-1/web.previous.log"]


def test_events_are_in_the_order_of_time() -> None:
    files, _ = collect(cluster())
    assert [line[:13] for line in files["events.txt"].splitlines()] == [
        "2026-11-25T08", "2026-11-25T09",
    ]  # fmt: skip
    assert "R1: said ***" in files["describe/Pod-web-1.txt"]


@pytest.mark.parametrize("kind", ["Secret", "Event", "Pod", "Node"])
def test_what_may_not_be_read_is_named_and_the_rest_collected(kind: str) -> None:
    found = cluster()

    def refuse(_: str, what: str) -> None:
        if what.startswith(f"{kind}/"):
            raise Forbidden(f"may not list {kind}")

    found.before = refuse
    files, evidence = collect(found)
    assert "versions.txt" in files
    assert any(f"may not list {kind}" in gap for gap in evidence.gaps) is (kind != "Node")


def test_time_ends_it_and_what_was_read_stays() -> None:
    class Endless(Talking):
        async def follow(self, *_: Any, **__: Any) -> AsyncIterator[str]:
            yield "the first line"
            await asyncio.sleep(60)

    found = Endless(store=cluster().store)
    files, evidence = collect(found, 0.2)
    assert files["logs/web-1/web.log"] == "the first line"
    assert "stopped after" in evidence.gaps[0]


def test_a_mistake_in_it_is_a_gap_and_no_error() -> None:
    class Broken(Talking):
        async def call(self, method: str, path: str, body: Obj | None = None) -> Any:
            del method, path, body
            raise KeyError(CANARY)

    _, evidence = collect(Broken(store=cluster().store))
    assert evidence.gaps == ("Collecting ended early, by a mistake of envctl's: KeyError('***')",)
