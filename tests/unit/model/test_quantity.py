from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model.quantity import parse, share


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("4", "4"),
        ("250m", "0.25"),
        ("1500u", "0.0015"),
        ("2k", "2000"),
        ("1.5Gi", str(1.5 * 1024**3)),
        ("8Ki", "8192"),
        ("1e3", "1000"),
        ("-1", "-1"),
    ],
)
def test_a_quantity_is_a_number(text: str, number: str) -> None:
    assert parse(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1KiB", "..", "1.2.3", "many"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert parse(text) is None


@given(st.text(max_size=20))
def test_nothing_that_somebody_writes_breaks_it(text: str) -> None:
    parse(text)
    share(text, "1")


def test_shares() -> None:
    assert share("250m", "1") == 0.25
    assert share("512Mi", "1Gi") == 0.5
    assert share("0", "0") == 1.0, "nothing may be used, so everything is"
    assert share("x", "1") is None
