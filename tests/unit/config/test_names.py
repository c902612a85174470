from __future__ import annotations

import hashlib
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.config import names
from envctl.errors import ConfigError

ALPHABET = string.digits + string.ascii_lowercase


def expected_slug(name: str) -> str:
    """The steps of GitLab's Gitlab::Slug::Environment, written without looking at ours."""
    letters = []
    for letter in name.lower():
        kept = letter if letter in string.ascii_lowercase + string.digits else "-"
        letters.append(kept)
    text = "".join(letters)
    if not text or text[0] not in string.ascii_lowercase:
        text = "env-" + text
    while "--" in text:
        text = text.replace("--", "-")
    if len(text) <= 24 and text == name:
        return text.removesuffix("-")
    head = text[:17]
    if not head.endswith("-"):
        head += "-"
    rest, digits = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big"), ""
    for _ in range(6):
        digits, rest = ALPHABET[rest % 36] + digits, rest // 36
    return head + digits


@given(st.text() | st.from_regex(r"[a-zA-Z0-9/_.-]{0,40}", fullmatch=True))
def test_a_slug_is_the_one_that_gitlab_makes(name: str) -> None:
    assert names.slug(name) == expected_slug(name)


@given(st.text())
def test_a_slug_is_always_a_dns_label_of_at_most_24(name: str) -> None:
    found = names.slug(name)
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", found)
    assert len(found) <= 24


@given(st.lists(st.from_regex(r"[a-z/-]{1,30}", fullmatch=True), unique=True, max_size=30))
def test_different_branches_get_different_slugs(branches: list[str]) -> None:
    unchanged = [b for b in branches if not b.endswith("-")]
    assert len({names.slug(b) for b in unchanged}) == len(unchanged)


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("main", "main"),
        ("review/fix-foo", "review-fix-foo-"),
        ("1-digit", "env-1-digit-"),
        ("UPPER", "upper-"),
        ("a" * 30, "a" * 17 + "-"),
        ("", "env-"),
    ],
)
def test_known_slugs(name: str, starts: str) -> None:
    assert names.slug(name).startswith(starts)


def test_only_a_suffix_keeps_a_slash_and_a_dash_apart() -> None:
    one, other = names.slug("review/fix-foo"), names.slug("review-fix-foo")
    assert one != other
    assert other == "review-fix-foo"
    assert one.startswith("review-fix-foo-")


@given(st.integers(min_value=0))
def test_base36_is_what_int_reads(number: int) -> None:
    assert int(names.base36(number), 36) == number


def test_two_branches_with_one_slug_are_two_merge_requests() -> None:
    assert names.slug("fix") == names.slug("fix-") == "fix", "as for GitLab itself"
    assert names.merge_request_name("7", "fix") != names.merge_request_name("8", "fix-")


@pytest.mark.parametrize("name", ["a", "shop", "a-1", "x" * 22])
def test_good_labels(name: str) -> None:
    assert names.check_label("project", name, names.MAX_PROJECT) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "1a", "a.b", "a_b", "a\n", "ä", "a b"])
def test_bad_labels(name: str) -> None:
    with pytest.raises(ConfigError, match="not a valid project name"):
        names.check_label("project", name, names.MAX_PROJECT)


@pytest.mark.parametrize(
    ("kind", "maximum", "reason"),
    [("component", names.MAX_COMPONENT, "Helm"), ("project", names.MAX_PROJECT, "63 characters")],
)
def test_a_name_that_is_too_long_says_whose_limit_it_is(
    kind: str, maximum: int, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        names.check_label(kind, "x" * (maximum + 1), maximum)


@given(st.from_regex(r"[1-9][0-9]{0,9}", fullmatch=True), st.text(max_size=300))
def test_a_merge_requests_namespace_always_fits(iid: str, branch: str) -> None:
    name = names.check_label("name", names.merge_request_name(iid, branch), names.MAX_NAME)
    assert len(names.namespace("p" * names.MAX_PROJECT, name)) <= 63
    assert name.startswith(f"mr-{iid}-")
