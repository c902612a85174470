"""How long an obstacle is borne: from when it was seen, anew when another took its place."""

from __future__ import annotations

from envctl.model.objects import Key
from envctl.model.obstacle import FINAL, Obstacle
from envctl.workflow.obstacles import Patience

WEB = Key("apps", "Deployment", "ns", "web")
QUOTA = Obstacle("QuotaExceeded", "no room", patience=90.0)
NODE = Obstacle("Unschedulable", "no node", patience=120.0)


def test_final_is_final_at_once() -> None:
    assert Patience().lost(WEB, Obstacle("Denied", "no", patience=FINAL), 5.0)


def test_what_may_heal_is_given_up_after_its_own_time_and_not_before() -> None:
    patience = Patience()
    assert not patience.lost(WEB, QUOTA, 10.0)
    assert patience.next(10.0) == 90.0
    assert not patience.lost(WEB, QUOTA, 99.9)
    assert patience.lost(WEB, QUOTA, 100.0)


def test_another_obstacle_gets_a_time_of_its_own() -> None:
    patience = Patience()
    patience.lost(WEB, QUOTA, 0.0)
    assert not patience.lost(WEB, NODE, 89.0)
    assert not patience.lost(WEB, QUOTA, 91.0)
    assert patience.next(91.0) == 90.0


def test_what_has_healed_is_forgotten() -> None:
    patience = Patience()
    patience.lost(WEB, QUOTA, 0.0)
    assert not patience.lost(WEB, None, 80.0)
    assert patience.next(80.0) is None
    assert not patience.lost(WEB, QUOTA, 100.0)


def test_without_a_time_of_its_own_the_steps_timeout_counts() -> None:
    patience = Patience()
    assert not patience.lost(WEB, Obstacle("NodeNotReady", "dead"), 1e9)
    assert patience.next(1e9) is None
