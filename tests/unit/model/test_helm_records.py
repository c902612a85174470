"""What Helm's own records say: which revision is the newest, and whether it may go without Helm."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from envctl.model import helm

HOOKED = {"hooks": [{"events": ["post-install"]}, {"events": ["post-upgrade", "pre-delete"]}]}


def packed(body: Any) -> str:
    found = gzip.compress(json.dumps(body).encode())
    return base64.b64encode(base64.b64encode(found)).decode()


def secret(name: str, version: str, data: Any, status: str = "deployed") -> dict[str, Any]:
    labels = {"name": name, "version": version, "status": status}
    return {"metadata": {"labels": labels}, "data": data}


def test_the_newest_revision_counts_by_number_and_each_release_once() -> None:
    secrets = [
        secret("web", "9", {"release": packed({"manifest": "nine"})}),
        secret("web", "10", {"release": packed({"manifest": "ten"})}, "failed"),
        secret("web", "2", {"release": packed({"manifest": "two"})}),
        secret("db", "1", {"release": packed({"manifest": "one"})}),
    ]
    for given in (secrets, secrets[::-1]):
        found = helm.newest(given)
        assert [(r.name, r.version, r.status, r.manifest) for r in found] == [
            ("db", 1, "deployed", "one"),
            ("web", 10, "failed", "ten"),
        ]


def test_of_two_with_one_number_the_first_stays_and_one_without_a_name_is_none() -> None:
    odd = [secret("web", "x", None), secret("web", "\u00b2", None), {"metadata": {}}]
    assert [(r.name, r.version) for r in helm.newest(odd)] == [("web", 0)]


@pytest.mark.parametrize(
    ("body", "hooks"),
    [
        ({"manifest": "a"}, False), ({"hooks": None, "manifest": "a"}, False),
        ({"hooks": [{"events": ["post-install"]}]}, False), ({"hooks": [{}]}, False),
        (HOOKED, True), ({"hooks": [{"events": ["post-delete"]}]}, True),
    ],
)  # fmt: skip
def test_helm_is_asked_where_hooks_run_at_the_end(body: Any, hooks: bool) -> None:
    (found,) = helm.newest([secret("web", "1", {"release": packed(body)})])
    assert found.has_delete_hooks is hooks


@pytest.mark.parametrize(
    "data",
    [None, {}, {"release": ""}, {"release": "%%%"}, {"release": base64.b64encode(b"abc").decode()},
     {"release": base64.b64encode(base64.b64encode(b"\x1f\x8b\x08short")).decode()},
     {"release": packed([1])}, {"release": packed("x")}],
)  # fmt: skip
def test_helm_is_asked_where_a_record_cannot_be_read(data: Any) -> None:
    (found,) = helm.newest([secret("web", "1", data)])
    assert found.has_delete_hooks
    assert found.manifest == ""
