"""What the page on security claims is proved by tests that exist."""

from __future__ import annotations

import ast
import re

import pytest

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
