"""The table of the comparison: what its figures are made of."""

from __future__ import annotations

import json
from typing import Any

from tests.failures import __main__ as explained
from tests.failures import compare
from tests.failures.contenders import _messages

FACTS = {"date": "2026-11-25", "versions": "Helm v4", "machine": "2 CPUs"}


def row(case: str, tool: str, **more: Any) -> dict[str, Any]:
    found = {"exit": 1, "named": False, "seconds": 61.0, "saidAfter": None, "endedAfter": 58.0}
    return {"case": case, "tool": tool, **found, "wrongly": False, "final": True, **FACTS, **more}


ROWS = [
    row("a", "envctl", named=True, saidAfter=0.5, endedAfter=0.9),
    row("b", "envctl", named=True, saidAfter=1.5, endedAfter=1.9),
    row("a", "helm"),
    row("b", "helm", exit=0, wrongly=True, endedAfter=None),
    row("a", "helm, then a script that dumps", named=True, saidAfter=60.0),
]


def test_it_counts_what_was_named_how_late_and_what_was_called_a_success() -> None:
    lines = compare.table(ROWS).splitlines()
    assert lines[2:5] == [
        "| `envctl up` | 2 of 2 | 1.0 s | 0 |",
        "| `helm upgrade --install --wait` | 0 of 2 | 58.0 s | 1 |",
        "| the same, then a script that dumps pods, events and logs | 1 of 2 | 60.0 s | 1 |",
    ]
    assert "| b | 1.5 s | **a success** |  |" in lines


def test_it_stands_between_its_marks_and_is_replaced() -> None:
    page = f"before\n{compare.BEGIN}old{compare.END}\nafter\n"
    once = compare.with_table(page, ROWS)
    assert once.startswith(f"before\n{compare.BEGIN}")
    assert once.endswith(f"{compare.END}\nafter\n")
    assert "old" not in once
    assert compare.with_table(once, ROWS) == once


def test_the_message_that_counts_is_the_one_beside_the_sign() -> None:
    status = {
        "message": "of the pod",
        "containers": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}],
        "conditions": [{"reason": "Ready", "message": "not ready"}],
    }
    assert list(_messages(status, "ErrImagePull")) == ["not found"]
    assert list(_messages(json.loads(json.dumps(status)), "nowhere")) == []


def test_the_page_has_the_marks() -> None:
    page = compare.PAGE.read_text()
    assert page.index(compare.BEGIN) < page.index(compare.END)


def test_what_is_said_of_each_stands_between_its_own_marks() -> None:
    row = {
        "case": "a|b", "named": True, "next": True, "final": True, "secondsAfterKnown": 0.5,
        "seconds": 3.0, "exit": 1, "twin": None, "sentence": "t-0123abcd-it: a|b is wrong.",
    }  # fmt: skip
    page = f"before\n{explained.BEGIN}old{explained.END}\nafter\n"
    found = explained.with_table(page, "today", [row])
    assert found.startswith(f"before\n{explained.BEGIN}")
    assert found.endswith(f"{explained.END}\nafter\n")
    assert "| yes | 0.5 s | 1 |  | shop-it: a\\|b is wrong. |" in found
    assert "old" not in found


def test_the_page_has_the_marks_of_both() -> None:
    page = compare.PAGE.read_text()
    assert page.index(explained.BEGIN) < page.index(explained.END) < page.index(compare.BEGIN)
