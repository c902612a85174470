"""The targets of `task fuzz`, briefly: their seeds, what has broken something once, and a few more.

The inputs are the same in every run; the long runs that look for new ones are in docs/fuzzing.md.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.broken import BROKEN
from tests.fuzz.targets import TARGETS

#: Inputs of each target in every run of the tests.
INPUTS = 60


@pytest.mark.parametrize("name", TARGETS)
def test_only_errors_for_people_come_out(name: str) -> None:
    target = TARGETS[name]
    for seed in (b"", *target.seeds):
        target(seed)

    @settings(
        max_examples=INPUTS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(max_size=300))
    def generated(data: bytes) -> None:
        target(data)

    generated()


@pytest.mark.parametrize(("name", "data"), BROKEN)
def test_what_broke_something_once_breaks_nothing_any_more(name: str, data: bytes) -> None:
    TARGETS[name](data)
