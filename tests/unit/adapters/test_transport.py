"""The last question before a write leaves, and what a process that was stopped lets leave."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict

from envctl.adapters.kubernetes import transport
from envctl.adapters.kubernetes.connect import Target
from envctl.adapters.kubernetes.transport import Transport
from envctl.errors import EnvctlError, Superseded
from envctl.ports import attempt, fence
from tests.unit.virtual import virtually


@dataclass(eq=False)
class Answer:
    status: int
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    breaks: Exception | None = None
    host: str = "cluster"
    heard: Any = lambda _error: None

    def close(self) -> None:
        pass

    @property
    def content(self) -> Any:
        return SimpleNamespace(set_exception=self.heard)

    async def read(self) -> bytes:
        if self.breaks is not None:
            raise self.breaks
        return b"{}"


@dataclass
class Connection:
    """A client of the library's, as far as it is used; ``answers`` are status codes."""

    answers: list[int]
    closed: bool = False
    sent: list[str] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    date: str = ""
    ended: bool = False
    breaks: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.configuration = SimpleNamespace(host="https://cluster")
        connector = SimpleNamespace(close=self._close)
        self.rest = SimpleNamespace(
            request=self._request, pool_manager=SimpleNamespace(connector=connector)
        )

    async def authorization(self) -> dict[str, str]:
        return {}

    async def close(self) -> None:
        self.ended = True

    async def _close(self, *, abort_ssl: bool) -> None:
        assert abort_ssl
        self.closed = True
        await asyncio.sleep(1)

    async def _request(self, method: str, url: str, **_: Any) -> Any:
        if self.closed:
            raise RuntimeError("Session is closed")
        self.sent.append(f"{method} {url.removeprefix('https://cluster')}")
        headers = CIMultiDict(("warning", text) for text in self.warnings)
        if self.date:
            headers["Date"] = self.date
        breaks = self.breaks.pop(0) if self.breaks else None
        return SimpleNamespace(response=Answer(self.answers.pop(0), headers, breaks))


class Holder:
    """Holds the lock for so many questions; ``then`` happens at each."""

    def __init__(self, questions: int) -> None:
        self.left = questions
        self.then: list[Any] = []

    async def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Superseded("Pipeline 9 has taken over.")
        if self.then:
            self.then.pop(0)()

    def trusted(self) -> float:
        return 1.0


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """What is opened, one after the other."""
    found: list[Connection] = [Connection([503, 200]), Connection([200])]
    waiting = list(found)

    async def open_client(target: Target, agent: str) -> Connection:
        del target, agent
        return waiting.pop(0)

    monkeypatch.setattr(transport, "open_client", open_client)
    return found


def ask(api: Transport, method: str, holder: Holder) -> None:
    with fence.behind(holder):
        virtually(api.ask(method, "/x", "do it"))


def test_each_attempt_of_a_write_asks_whether_it_may(connections: list[Connection]) -> None:
    api, holder = Transport(Target("here", "")), Holder(1)
    with pytest.raises(Superseded):
        ask(api, "PATCH", holder)
    assert connections[0].sent == ["PATCH /x"]


def test_a_read_asks_nobody(connections: list[Connection]) -> None:
    ask(Transport(Target("here", "")), "GET", Holder(0))
    assert connections[0].sent == ["GET /x", "GET /x"]


@pytest.mark.parametrize("questions", [1, 2])
def test_what_a_stopped_process_had_in_hand_does_not_leave(
    connections: list[Connection], questions: int
) -> None:
    api, holder = Transport(Target("here", "")), Holder(questions)
    holder.then = [api.cut]
    if questions == 1:  # taken over meanwhile
        with pytest.raises(Superseded):
            ask(api, "PATCH", holder)
    else:  # nobody has: it is sent after all, once
        ask(api, "PATCH", holder)
    assert connections[0].sent == []
    assert len(connections[1].sent) == questions - 1


def test_what_the_server_warns_about_reaches_the_step(connections: list[Connection]) -> None:
    connections[0].answers[:] = [200, 200]
    connections[0].warnings = ('299 - "spec.x is deprecated"', '299 - "use \\"y\\""')
    told: list[tuple[str, str]] = []
    with attempt.within(10, warned=lambda doing, text: told.append((doing, text))):
        virtually(Transport(Target("here", "")).ask("PATCH", "/x", "apply Deployment/web"))
        assert told == [
            ("apply Deployment/web", "spec.x is deprecated"),
            ("apply Deployment/web", 'use "y"'),
        ]
        connections[1].warnings = connections[0].warnings
        virtually(Transport(Target("here", "")).ask("GET", "/x", "list endpoints"))
        assert len(told) == 2, "of what is merely read nobody is to change anything"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_kind_of_write_leaves_once_the_lock_is_lost(
    connections: list[Connection], method: str
) -> None:
    with pytest.raises(Superseded):
        ask(Transport(Target("here", "")), method, Holder(0))
    assert connections[0].sent == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_kind_of_read_asks(connections: list[Connection], method: str) -> None:
    ask(Transport(Target("here", "")), method, Holder(0))
    assert connections[0].sent == [f"{method} /x"] * 2


def test_the_question_is_the_last_thing_before_the_request(connections: list[Connection]) -> None:
    """What takes time, as a credential that a program must give, comes before it."""
    order: list[str] = []
    api, holder = Transport(Target("here", "")), Holder(9)
    holder.then = [lambda: order.append("asked"), lambda: order.append("asked")]
    connection = connections[0]
    requested = connection.rest.request

    async def authorize() -> dict[str, str]:
        order.append("authorized")
        return {}

    async def request(*args: Any, **more: Any) -> Any:
        order.append("sent")
        return await requested(*args, **more)

    connection.authorization = authorize  # type: ignore[method-assign]
    connection.rest.request = request
    ask(api, "PATCH", holder)
    assert order == ["authorized", "asked", "sent"] * 2


def test_the_requests_are_counted_with_their_repetitions(connections: list[Connection]) -> None:
    api = Transport(Target("here", ""))
    ask(api, "PATCH", Holder(9))
    assert (api.requests, dict(api.by_verb)) == (2, {"patch": 2})
    assert connections[0].answers == []


@pytest.mark.parametrize(
    ("method", "body", "server"),
    [
        ("PATCH", None, True), ("GET", None, True), ("POST", {"metadata": {}}, True),
        ("PATCH", {"metadata": {"resourceVersion": "5"}}, False), ("PATCH", {}, True),
        ("PUT", {"metadata": {}}, False), ("DELETE", None, False), ("PATCH", {"spec": 1}, True),
    ],
)  # fmt: skip
def test_a_conflict_is_repeated_only_where_the_server_chose_the_version(
    method: str, body: Any, server: bool
) -> None:
    assert transport._names_no_version(method, body) is server


@pytest.mark.parametrize(
    ("path", "short"),
    [("/api/v1/namespaces/ns/pods/web?x=1", "pods/web"), ("/api/v1/namespaces/ns", "namespaces/ns"),
     ("/apis/apps/v1/namespaces/ns/deployments/web", "deployments/web"), ("/version", "/version"),
     ("/apis/apps/v1/deployments", "deployments"), ("/api/v1/nodes/n", "nodes/n")],
)  # fmt: skip
def test_a_path_is_said_as_people_say_it(path: str, short: str) -> None:
    assert transport._short(path) == short


def test_where_nothing_was_opened_there_is_nothing_to_cut() -> None:
    api = Transport(Target("here", ""))
    api.cut()
    assert api.requests == 0
    assert api.server_time() is None


def test_whoever_reads_an_answer_hears_that_it_was_cut(connections: list[Connection]) -> None:
    """aiohttp wakes nobody who waits on what it aborts: a watch would wait for ever."""
    connections[0].answers[:] = [200]
    heard: list[BaseException] = []
    api = Transport(Target("here", ""))

    async def work() -> None:
        answer = await api.send("GET", "/x", stream=True)
        answer.heard = heard.append  # type: ignore[attr-defined]
        api.cut()
        await api.close()

    virtually(work())
    assert [str(error) for error in heard] == ["it was cut"]
    assert [c.ended for c in connections] == [True, False]


def test_both_the_cut_connection_and_the_new_one_are_closed(connections: list[Connection]) -> None:
    connections[0].answers[:] = [200]
    api = Transport(Target("here", ""))

    async def work() -> None:
        await api.send("GET", "/x")
        api.cut()
        await api.send("GET", "/x")
        await api.close()

    virtually(work())
    assert [c.ended for c in connections] == [True, True]


def test_the_servers_time_is_that_of_its_last_answer_and_goes_on(
    connections: list[Connection],
) -> None:
    connections[0].answers[:] = [200, 200]
    connections[0].date = "Thu, 01 Jan 2026 00:00:07 GMT"
    api = Transport(Target("here", ""))

    async def work() -> None:
        await api.send("GET", "/x")
        connections[0].date = ""  # an answer without one changes nothing
        await api.send("GET", "/x")

    virtually(work())
    told = api.server_time()
    assert told is not None
    assert 7 <= (told - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds() < 60


def test_an_answer_that_breaks_off_is_asked_for_again(connections: list[Connection]) -> None:
    connections[0].answers[:] = [200, 200]
    connections[0].breaks = [aiohttp.ClientPayloadError("cut short"), TimeoutError()]
    api = Transport(Target("here", ""))
    connections[0].answers.append(200)
    ask(api, "PATCH", Holder(3))
    assert connections[0].sent == ["PATCH /x"] * 3


@pytest.mark.parametrize(("status", "fine"), [(200, True), (299, True), (300, False), (404, False)])
def test_what_is_no_success_is_an_error(
    connections: list[Connection], status: int, fine: bool
) -> None:
    connections[0].answers[:] = [status]
    with contextlib.nullcontext() if fine else pytest.raises(EnvctlError):
        ask(Transport(Target("here", "")), "GET", Holder(0))


def test_an_answer_whose_rest_was_cut_off_is_asked_for_anew(connections: list[Connection]) -> None:
    """Between its first bytes and whoever reads the rest, so that nobody is told of the cut."""
    api = Transport(Target("here", ""))
    connections[0].answers = [200]
    request = connections[0]._request

    async def cut(method: str, url: str, **options: Any) -> Any:
        answer = await request(method, url, **options)
        api.cut()
        return answer

    connections[0].rest.request = cut
    ask(api, "GET", Holder(0))
    assert [connection.sent for connection in connections] == [["GET /x"], ["GET /x"]]
