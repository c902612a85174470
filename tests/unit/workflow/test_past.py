"""Lines of several logs come out in the order in which they were said."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from envctl.workflow.past import Stamped, merged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Times = list[list[int]]


async def _stream(number: int, times: list[int]) -> AsyncIterator[Stamped]:
    for index, time in enumerate(sorted(times)):
        await asyncio.sleep(0)
        yield Stamped(f"{time:06}", number, f"{number}.{index}")


async def _all(times: Times) -> list[Stamped]:
    return [line async for line in merged([_stream(i, t) for i, t in enumerate(times)])]


@given(st.lists(st.lists(st.integers(0, 999), max_size=20), max_size=6))
def test_nothing_is_lost_and_all_is_in_order(times: Times) -> None:
    found = asyncio.run(_all(times))
    assert [line.time for line in found] == sorted(f"{t:06}" for part in times for t in part)
    for number, part in enumerate(times):
        own = [line.line for line in found if line.stream == number]
        assert own == [f"{number}.{index}" for index in range(len(part))]


def test_no_log_is_no_line() -> None:
    assert asyncio.run(_all([])) == []
    assert asyncio.run(_all([[], []])) == []
