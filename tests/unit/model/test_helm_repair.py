"""The rule for each state in which a dead Helm can leave a release."""

from __future__ import annotations

import pytest

from envctl.model.helm import Cure, repair


@pytest.mark.parametrize(
    ("statuses", "cure", "revision", "said"),
    [
        ([], Cure.NONE, 0, ""),
        (["deployed"], Cure.NONE, 0, ""),
        (["superseded", "deployed"], Cure.NONE, 0, ""),
        (["pending-install"], Cure.ANEW, 0, "left pending-install"),
        (["failed"], Cure.ANEW, 0, "left failed and has never been deployed"),
        (["failed", "failed"], Cure.ANEW, 0, "never been deployed"),
        (["pending-install", "pending-rollback"], Cure.ANEW, 0, "left pending-rollback"),
        (["deployed", "failed"], Cure.NONE, 0, "upgraded from there"),
        (["superseded", "failed"], Cure.NONE, 0, "upgraded from there"),
        (["superseded", "pending-upgrade"], Cure.BACK, 1, "rolling back to revision 1"),
        (["deployed", "pending-upgrade"], Cure.BACK, 1, "rolling back to revision 1"),
        (["superseded", "deployed", "pending-upgrade"], Cure.BACK, 2, "revision 2"),
        (["deployed", "pending-upgrade", "pending-rollback"], Cure.BACK, 1, "pending-rollback"),
        (["uninstalling"], Cure.ANEW, 0, "was being uninstalled"),
        (["superseded", "uninstalling"], Cure.ANEW, 0, "what is left of it"),
        (["uninstalled"], Cure.NONE, 0, ""),
    ],
)
def test_each_state(statuses: list[str], cure: Cure, revision: int, said: str) -> None:
    history = [(number + 1, status) for number, status in enumerate(statuses)]
    for given in (history, history[::-1]):
        found = repair("db", given)
        assert (found.cure, found.revision) == (cure, revision)
        assert said in found.say
        assert bool(said) == bool(found.say)
