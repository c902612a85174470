"""What a change costs in requests and processes is seen before it is felt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench import lab as labs
from tests.bench import quick
from tests.cluster.node import NODE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.lab import Lab

pytestmark = [pytest.mark.xdist_group("bench"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with labs.opened(1, 1, f"{NODE_NAME}-quick") as opened:
        opened.fake()
        yield opened


@pytest.mark.parametrize("workload", list(quick.expected()["counts"]))
def test_each_verb_asks_what_was_recorded(lab: Lab, workload: str) -> None:
    found = quick.differences(quick.expected()["counts"][workload], quick.counted(lab, workload))
    assert not found, "record it with its reason: python -m tests.bench.quick --write REASON"
