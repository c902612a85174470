"""The pipeline's own credential reaches nothing outside of its project's environments.

With kubectl, as a job script that a merge request has changed would use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks import account
from tests.attacks.walls import Walls, build, tear_down
from tests.cluster.setup import set_up
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.attacks.account import Try
    from tests.cluster.node import Kubectl, Node

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("walls")]

#: Those that stand in the way of some attack alone.
POLICIES = sorted({a.policies[0] for a in account.ALL if len(a.policies) == 1})


@pytest.fixture(scope="module")
def walls(
    node: Node, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walls]:
    with set_up(node, kubectl, tmp_path_factory.mktemp("walls")) as setup:
        found = build(setup)
        yield found
        tear_down(found)


@pytest.mark.parametrize("attack", account.ALL, ids=lambda attack: attack.name)
def test_the_cluster_says_no(attack: Try, walls: Walls) -> None:
    done = walls.attempt(attack)
    assert done.returncode != 0, str(done)
    assert any(walls.real(word) in done.stderr for word in attack.words), str(done)


@pytest.mark.parametrize("policy", POLICIES)
def test_without_its_policy_an_attack_would_pass(policy: str, walls: Walls) -> None:
    """As a server-side dry run: so it is this policy that stands in the way, and not luck."""
    attacks = [attack for attack in account.ALL if attack.policies == [policy]]

    def passes() -> bool:
        return any(walls.attempt(attack, "--dry-run=server").returncode == 0 for attack in attacks)

    with walls.without(policy):
        until(passes)
    until(lambda: not passes())


def test_nobody_was_touched_by_any_of_these(walls: Walls) -> None:
    assert walls.others() == walls.before
