"""What Secrets hold is hidden from the moment that they hold it, and for as long as lines come."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import Forbidden, Unavailable
from envctl.model.events import LogLine
from envctl.model.objects import SECRET
from envctl.model.redact import Hidden, hidden
from envctl.ports.cluster import Change
from envctl.workflow.hiding import UNWATCHED, Mask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from envctl.model.objects import Resource


def secret(value: str) -> dict[str, Any]:
    """As a watch brings it: its kind is known from what is watched."""
    return {"metadata": {"name": "key"}, "data": {"key": base64.b64encode(value.encode()).decode()}}


class Secrets:
    """A cluster whose Secrets change as the test says."""

    def __init__(self, *changes: Change | Exception, listed: bool = True) -> None:
        self.changes = changes
        self.listed = listed

    async def list(self, resource: Resource, namespace: str) -> list[Any]:
        assert (resource, namespace) == (SECRET, "shop-a")
        if not self.listed:
            raise Forbidden("Secrets may not be listed.")
        return []

    async def watch(self, resource: Resource, namespace: str) -> AsyncIterator[Change]:
        assert (resource, namespace) == (SECRET, "shop-a")
        for change in self.changes:
            if isinstance(change, Exception):
                raise change
            yield change


def shown_after(mask: Mask, *changes: Change | Exception, listed: bool = True) -> list[str]:
    """What was warned of once these changes were seen."""
    warnings: list[str] = []
    cluster: Any = Secrets(*changes, listed=listed)
    asyncio.run(mask.follow(cluster, "shop-a", warnings.append))
    return warnings


@pytest.fixture
def lines() -> list[LogLine]:
    return []


def say(mask: Mask, text: str) -> None:
    mask.show(LogLine(None, 0.0, "web", "web-1", "main", text))


def test_a_secret_made_later_is_hidden_from_then_on_and_an_old_value_stays_hidden(
    lines: list[LogLine],
) -> None:
    mask = Mask(lines.append, hidden(["first-horse"]))
    shown_after(
        mask,
        Change("ADDED", secret("second-horse")),
        Change("MODIFIED", secret("third-horse")),
        Change("RESYNC", {}),
        Change("DELETED", secret("third-horse")),
    )
    say(mask, "first-horse second-horse third-horse fourth-horse")
    assert lines[0].line == "*** *** *** fourth-horse"


def test_who_may_not_read_secrets_sees_lines_all_the_same(lines: list[LogLine]) -> None:
    mask = Mask(lines.append, Hidden())
    assert shown_after(mask, Forbidden("Secrets may not be read."), listed=False) == []
    say(mask, "hello")
    assert lines[0].line == "hello"


def test_who_may_read_secrets_and_not_watch_them_is_warned_of_what_is_not_hidden() -> None:
    mask = Mask(lambda _: None, hidden(["first-horse"]))
    assert shown_after(mask, Forbidden("Secrets may not be watched.")) == [UNWATCHED]


def test_a_cluster_that_is_away_for_good_ends_it_rather_than_show_what_may_be_secret(
    lines: list[LogLine],
) -> None:
    with pytest.raises(Unavailable):
        shown_after(Mask(lines.append, Hidden()), Unavailable("It does not answer."))


def test_either_hides() -> None:
    both = hidden(["first-horse"]) | hidden(["second-horse"])
    assert both.mask("first-horse second-horse") == "*** ***"
    assert both | hidden(["first-horse"]) is both
