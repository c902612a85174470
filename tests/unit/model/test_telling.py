from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model.telling import telling

NOISE = [f"closing connection {number}" for number in range(40)]
START = [f"GET /healthz 200 {number}" for number in range(60)]
GO = [
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47f3a2]",
    "goroutine 1 [running]:",
    *(f"\t/src/main.go:{number} +0x1d" for number in range(30)),
]
JAVA = [
    'Exception in thread "main" java.lang.IllegalStateException: no pool',
    *(f"\tat org.example.Pool.open(Pool.java:{number})" for number in range(30)),
    "Caused by: java.net.ConnectException: Connection refused (db:5432)",
    *(f"\tat java.base/java.net.Socket.connect(Socket.java:{number})" for number in range(30)),
    "\t... 12 more",
]
REFUSED = "could not connect to server: refused"
JSON = '{"level":"fatal","msg":"no licence"}'
PYTHON = [
    "Traceback (most recent call last):",
    *(f'  File "/app/{number}.py", line {number}, in run' for number in range(30)),
    "KeyError: 'DATABASE_URL'",
]


@pytest.mark.parametrize("most", [4, 8, 12, 25])
@pytest.mark.parametrize(
    ("log", "wanted"),
    [
        ([*START, *GO], GO[0]),
        ([*START, *JAVA], "Caused by: java.net.ConnectException: Connection refused (db:5432)"),
        ([*START, *PYTHON], "KeyError: 'DATABASE_URL'"),
        ([*START, *PYTHON, *NOISE], "KeyError: 'DATABASE_URL'"),
        ([*START, REFUSED, *NOISE], REFUSED),
        ([*START, "FATAL: password authentication failed", "error: giving up", *NOISE],
         "FATAL: password authentication failed"),
        ([*START, JSON, *NOISE], JSON),
        ([*START, "the last word"], "the last word"),
    ],
)  # fmt: skip
def test_the_line_that_tells_most_is_among_them(log: list[str], wanted: str, most: int) -> None:
    assert wanted in telling(log, most)
    assert len(telling(log, most)) == most


def test_the_end_is_taken_where_the_error_is_in_it() -> None:
    log = [*START, "error: no such table", "exiting"]
    assert telling(log, 5) == tuple(log[-5:])


@given(st.lists(st.sampled_from(["fine", "error: x", "panic: y", ""])), st.integers(0, 30))
def test_they_are_always_lines_in_a_row_and_as_many_as_there_may_be(
    lines: list[str], most: int
) -> None:
    found = telling(lines, most)
    assert len(found) == min(most, len(lines))
    assert any(tuple(lines[at : at + len(found)]) == found for at in range(len(lines) + 1))
