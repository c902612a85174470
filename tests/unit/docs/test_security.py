"""What the page on security claims is proved by tests that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.attacks import account, files, objects
from tests.unit.repository.files import ROOT, section, text

NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text("docs/security.md"))))


def test_every_row_of_the_threat_model_names_a_test() -> None:
    part = section(text("docs/security.md"), "## From whom")
    rows = [r for r in part.splitlines() if r.startswith("| ") and not r.startswith("| who")]
    assert len(rows) >= 7
    assert all("`tests/" in row for row in rows)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    known = {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
    assert not name or name in known
    assert any(function.startswith("test_") for function in known)


def _stopped() -> list[str]:
    """How the row of each attack begins when it was stopped by what is said to stop it."""
    found = [
        f"| {attack.name} | {attack.by} | {attack.stopped_by} | {attack.code} |"
        for attack in [*files.ALL, *objects.ALL]
    ]
    for attack in account.ALL:
        by = attack.stopped_by
        policies = " or ".join(f"`envctl-{policy}`" for policy in by.split(", "))
        guard = by if by in account.WORDS else f"policy {policies}"
        found.append(f"| {attack.name} | {attack.by} | {guard} |")
    return found


def test_the_table_of_attacks_has_each_of_them_and_each_was_stopped() -> None:
    table = text("docs/security.md").partition("<!-- attacks -->")[2].partition("<!-- /attacks")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    expected = _stopped()
    missing = [row for row in expected if not any(line.startswith(row) for line in rows)]
    assert not missing, "make it anew with `python -m tests.attacks --write`"
    assert len(rows) == len(expected), "an attack that is no more still has its row"
    assert f"{len(rows)} attacks, 0 of them not stopped." in table
