"""A command starts with what it needs: the dear libraries are imported where they are used."""

from __future__ import annotations

import pytest

from tests.bench import imports


@pytest.mark.parametrize("arguments", imports.QUICK, ids=" ".join)
def test_nothing_dear_is_imported_to_say_what_a_command_is_for(arguments: tuple[str, ...]) -> None:
    assert imports.early(arguments) == []


def test_what_is_forbidden_can_be_seen() -> None:
    """By running a verb, which needs what its help does without."""
    cost = {name.partition(".")[0] for name, _ in imports.timed(["local", "status"])}
    assert set(imports.OF_VERBS) & cost
