"""A sample of the kill points with a fixed seed; `task faults` strikes every one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.campaign import Campaign, compared
from tests.faults.inject import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.node import Node

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("kill")]

#: Raised by hand when the sample should be another one; the points follow from it alone.
SEED = 5
POINTS = 8


async def test_a_sample_of_the_kill_points(control_plane: Node, tmp_path: Path) -> None:
    async with compared(control_plane.context, ("helm",), shell=False) as tools:
        tools[0].commands.stages = (("up", "down"),)
        campaign = Campaign(
            control_plane.kubeconfig, tmp_path / "runs", tmp_path / "faults.jsonl", tools,
            seed=SEED, slots=4, most=POINTS, wanted=lambda point: point.fault is not Fault.STALL,
        )  # fmt: skip
        outcomes = await campaign.run()
    assert not campaign.errors
    assert len(outcomes) >= POINTS
    for outcome in outcomes:
        assert outcome.end != "stuck", outcome
        if outcome.point.fault.curable:
            assert outcome.end in ("cured", "missed"), outcome
