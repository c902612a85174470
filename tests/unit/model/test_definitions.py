from __future__ import annotations

import pytest

from envctl.model import definitions, obstacle


def test_names_that_another_definition_has_end_the_wait_at_once() -> None:
    said = {"type": "NamesAccepted", "status": "False", "message": '"Widget" is already in use'}
    found = definitions.obstacle_of({"status": {"conditions": [said]}})
    assert found is not None
    assert found.patience == obstacle.FINAL
    assert '"Widget" is already in use' in found.message
    assert found.next


@pytest.mark.parametrize(
    "status", [{}, {"conditions": [{"type": "NamesAccepted", "status": "True"}]}]
)
def test_a_definition_with_names_of_its_own_is_on_its_way(status: dict[str, object]) -> None:
    assert definitions.obstacle_of({"status": status}) is None


def test_what_definitions_bring_is_known_by_group_and_kind() -> None:
    definition = {"kind": "CustomResourceDefinition",
                  "spec": {"group": "shop.example.org", "names": {"kind": "Widget"}}}  # fmt: skip
    found = definitions.kinds([definition, {"kind": "Deployment"}])
    assert found == {("shop.example.org", "Widget")}
