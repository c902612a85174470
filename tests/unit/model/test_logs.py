from __future__ import annotations

from typing import Any

import pytest

from envctl.model.containers import Container, started
from envctl.model.logs import Stream, Wanted, split


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-23T03:43:52.44Z hello world", ("2026-11-23T03:43:52.44Z", "hello world")),
        ("2026-11-23T03:43:52Z ", ("2026-11-23T03:43:52Z", "")),
        ("2026-11-23T03:43:52Z", ("2026-11-23T03:43:52Z", "")),
        ("unable to retrieve container logs", ("", "unable to retrieve container logs")),
        ("", ("", "")),
    ],
)  # fmt: skip
def test_a_line_and_its_moment(text: str, found: tuple[str, str]) -> None:
    assert split(text) == found


@pytest.mark.parametrize(
    ("stamped", "shown"),
    [
        ("2026-11-23T03:43:52.440005442Z", "2026-11-23T03:43:52.440005442Z"),
        ("2026-11-23T05:43:52.440005442+02:00", "2026-11-23T03:43:52.440005Z"),
        ("", ""),
    ],
)
def test_moments_are_shown_in_utc(stamped: str, shown: str) -> None:
    assert Stream("api", "api-1", "main").said("x", stamped, 1.0).time == shown


def test_no_components_means_all() -> None:
    assert Wanted().takes("api")
    assert Wanted().takes("")
    assert not Wanted(("web",)).takes("api")


def test_only_containers_that_ever_ran_have_a_log() -> None:
    status: dict[str, Any] = {
        "initContainerStatuses": [
            {"name": "init", "containerID": "c://1", "state": {"terminated": {}}}
        ],
        "containerStatuses": [
            {"name": "main", "containerID": "c://2", "state": {"running": {}}, "restartCount": 2},
            {"name": "late", "containerID": "", "state": {"waiting": {}}},
        ],
    }
    assert started({"status": status}) == [
        Container("init", "c://1", False, 0),
        Container("main", "c://2", True, 2),
    ]
    assert started({}) == []
