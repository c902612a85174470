from __future__ import annotations

from copy import deepcopy
from typing import Any

from envctl.model.kubeconfig import build, merged

NEW = build("envctl-shop-a", {"server": "https://x"}, "shop-a", "token")
MINE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "a", "cluster": {"server": "https://a"}}],
    "users": [{"name": "a", "user": {"token": "mine"}}],
    "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    "current-context": "a",
}


def test_a_kubeconfig_is_complete() -> None:
    assert NEW["current-context"] == "envctl-shop-a"
    assert NEW["contexts"][0]["context"]["namespace"] == "shop-a"
    assert NEW["users"][0]["user"] == {"token": "token"}


def test_merging_keeps_everything_else() -> None:
    before = deepcopy(MINE)
    found = merged(MINE, NEW)
    assert before == MINE, "the one that was read is left as it is"
    assert found["current-context"] == "a"
    assert found["preferences"] == {"colors": True}
    for section in ("clusters", "users", "contexts"):
        assert found[section] == [*MINE[section], *NEW[section]]


def test_merging_again_replaces_its_own_in_its_place() -> None:
    newer = build("envctl-shop-a", {"server": "https://y"}, "shop-a", "newer")
    once = merged(MINE, NEW)
    once["users"].append({"name": "z", "user": {}})
    twice = merged(once, newer)
    assert [user["name"] for user in twice["users"]] == ["a", "envctl-shop-a", "z"]
    assert twice["users"][1]["user"]["token"] == "newer"
    assert merged(twice, newer) == twice


def test_an_empty_file_takes_the_context_over() -> None:
    assert merged({}, NEW) == NEW
    assert merged({"users": None, "clusters": None, "contexts": None}, NEW)["users"] == NEW["users"]
