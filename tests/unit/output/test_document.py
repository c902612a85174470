from __future__ import annotations

import json
import math

from envctl.errors import Unavailable
from envctl.output.document import brief, error_document, to_json, to_logfmt
from tests.unit.output.samples import CONTEXT, EVIL, FAILURE, up_result


def test_keys_keep_the_order_of_the_contract_and_the_document_ends() -> None:
    text = to_json(up_result().as_json())
    assert text.endswith("}\n")
    assert list(json.loads(text)) == [
        "environment",
        "result",
        "components",
        "checks",
        "failure",
        "apiRequests",
        "seconds",
    ]


def test_values_survive_but_no_terminal_can_act_on_them() -> None:
    text = to_json({"log": EVIL})
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {"log": EVIL}


def test_what_json_has_no_word_for_is_null() -> None:
    data = {"metrics": {"a": math.nan, "b": math.inf, "c": 1.5}, "list": (math.nan,)}
    assert json.loads(to_json(data)) == {
        "metrics": {"a": None, "b": None, "c": 1.5},
        "list": [None],
    }


def test_an_error_has_a_document_too() -> None:
    document = error_document(Unavailable("No answer.", why="Refused.", next="Try again."))
    assert document["error"]["exitCode"] == 75
    assert document["failure"] is None


def test_a_result_is_a_line_and_each_of_its_parts_is_one() -> None:
    lines = to_logfmt(CONTEXT, brief(up_result("failed", FAILURE).as_json()), 13.0)
    assert len(lines) == 3
    assert "result=failed" in lines[0]
    assert "url=http://fix-cart.localhost:8080/" in lines[0]
    assert "apiRequests=137" in lines[0]
    assert "line 5 of the log" not in lines[0]
    assert "msg=components" in lines[1]
    assert "name=db" in lines[1]
    assert "metrics.orders=41.5" in lines[2]


def test_a_list_without_entries_is_still_a_line() -> None:
    assert len(to_logfmt(CONTEXT, {"environments": []}, 0.0)) == 1
    assert len(to_logfmt(CONTEXT, [{"a": 1}, {"a": 2}], 0.0)) == 2
    assert "value=x" in to_logfmt(CONTEXT, "x", 0.0)[0]
