"""What a log's last lines say about what to do next."""

from __future__ import annotations

import pytest

from envctl.model.advice import is_final, next_step


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("exec /app/web: exec format error", "processor"),
        ("/bin/sh: can't create /var.pid: Read-only file system", "emptyDir"),
        ("OSError: [Errno 30] Read-only file system: '/data'", "emptyDir"),
        ("dial tcp: lookup db on 10.96.0.10:53: no such host", "name"),
        ("wget: bad address 'db'", "name"),
        ("getaddrinfo ENOTFOUND db", "name"),
        ("could not translate host name: Temporary failure in name resolution", "name"),
        ("** server can't find db.svc: NXDOMAIN", "name"),
        ("psycopg.OperationalError: connection refused", "needs"),
        ("mkdir /data: permission denied", "runAsUser"),
        ("KeyError: 'DATABASE_URL'", ""),
    ],
)
def test_advice(line: str, word: str) -> None:
    assert word in next_step(["starting", line])
    assert bool(next_step(["starting", line])) == bool(word)


def test_only_the_last_lines_count() -> None:
    assert not next_step(["connection refused", *("serving" for _ in range(9))])


@pytest.mark.parametrize(
    ("line", "final"),
    [
        ("exec /app/web: exec format error", True),
        ("exec /app/start.sh: no such file or directory", True),
        ("standard_init_linux.go:228: exec user process caused: exec format error", True),
        ("app: exec format error in plugin x", False),
        ("exec format error", False),
        ("cannot exec /app/web: exec format error", False),
    ],
)
def test_only_the_runtimes_own_words_are_final(line: str, final: bool) -> None:
    assert is_final([line]) is final
