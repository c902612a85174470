"""A watch outlives its connection: cut, expired, ended, answered by something else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from envctl.adapters.kubernetes import streams
from envctl.model.objects import POD
from envctl.ports import attempt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from envctl.ports.cluster import Change

Item = dict[str, Any] | Exception


class Answer:
    """One response: these events, or an error in their middle."""

    def __init__(self, items: list[Item], status: int = 200, body: bytes = b"") -> None:
        self.items, self.status, self.body = items, status, body
        self.headers: dict[str, str] = {}
        self.closed = False

    @property
    def content(self) -> AsyncIterator[bytes]:
        return self._lines()

    async def _lines(self) -> AsyncIterator[bytes]:
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield json.dumps(item).encode() + b"\n"

    async def read(self) -> bytes:
        return self.body

    def close(self) -> None:
        self.closed = True


class Server:
    """Answers one request after the other, and remembers what it was asked."""

    context = "test"

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def send(self, _method: str, _path: str, *, query: dict[str, Any], **_: Any) -> Answer:
        self.asked.append(str(query.get("resourceVersion", "")))
        return self.answers.pop(0)


def event(kind: str, name: str, version: int) -> dict[str, Any]:
    return {
        "type": kind,
        "object": {"metadata": {"name": name, "resourceVersion": str(version)}},
    }


EXPIRED = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_time(_seconds: float) -> None:
        return

    monkeypatch.setattr(streams.asyncio, "sleep", no_time)


async def seen(server: Server, count: int, since: str = "") -> list[Change]:
    found: list[Change] = []
    changes = streams.watch_changes(server, POD, "ns", "", since)  # type: ignore[arg-type]
    async for change in changes:
        found.append(change)
        if len(found) == count:
            await changes.aclose()
            break
    return found


async def test_a_cut_connection_goes_on_where_it_was() -> None:
    cut = Answer([event("ADDED", "a", 5), aiohttp.ClientPayloadError("cut")])
    server = Server(cut, Answer([event("MODIFIED", "a", 6)]))
    changes = await seen(server, 2)
    assert [c.type for c in changes] == ["ADDED", "MODIFIED"]
    assert server.asked == ["", "5"]
    assert cut.closed


async def test_410_in_the_middle_starts_over_and_says_so() -> None:
    server = Server(
        Answer([event("ADDED", "a", 5), EXPIRED]),
        Answer([event("ADDED", "a", 9), event("ADDED", "b", 8)]),
    )
    changes = await seen(server, 4)
    assert [c.type for c in changes] == ["ADDED", "RESYNC", "ADDED", "ADDED"]
    assert server.asked == ["", ""]


async def test_410_as_the_answer_starts_over() -> None:
    body = json.dumps({"reason": "Expired", "message": "too old"}).encode()
    server = Server(Answer([], 410, body), Answer([event("ADDED", "a", 1)]))
    changes = await seen(server, 2, since="3")
    assert [c.type for c in changes] == ["RESYNC", "ADDED"]
    assert server.asked == ["3", ""]


async def test_bookmarks_move_on_and_are_not_shown() -> None:
    server = Server(
        Answer([event("ADDED", "a", 5), event("BOOKMARK", "", 70)]),
        Answer([event("MODIFIED", "a", 71)]),
    )
    assert [c.type for c in await seen(server, 2)] == ["ADDED", "MODIFIED"]
    assert server.asked == ["", "70"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_in_trouble_is_asked_again_and_it_is_told(status: int) -> None:
    told: list[tuple[int, str]] = []
    server = Server(Answer([], status, b"<html>busy</html>"), Answer([event("ADDED", "a", 1)]))
    with attempt.within(60, lambda n, policy, _why, _delay: told.append((n, policy))):
        assert [c.type for c in await seen(server, 1)] == ["ADDED"]
    assert told == [(1, "watch")]


async def test_half_a_line_is_a_cut_connection() -> None:
    broken = Answer([event("ADDED", "a", 5)])

    async def lines() -> AsyncIterator[bytes]:
        yield json.dumps(event("ADDED", "a", 5)).encode() + b"\n"
        yield b'{"type": "MODIF'

    broken._lines = lines  # type: ignore[method-assign]
    server = Server(broken, Answer([event("MODIFIED", "a", 6)]))
    assert [c.type for c in await seen(server, 2)] == ["ADDED", "MODIFIED"]


async def test_forbidden_is_final() -> None:
    body = json.dumps(
        {
            "reason": "Forbidden",
            "message": 'pods is forbidden: User "ci" cannot watch resource "pods" in API group "" '
            'in the namespace "ns"',
        }
    ).encode()
    with pytest.raises(Exception, match="may not watch pods"):
        await seen(Server(Answer([], 403, body)), 1)
