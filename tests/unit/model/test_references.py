"""What the kubelet did not find, by its own words, and whether it is there now."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.model.references import Reference, missing


def pod(message: str, reason: str = "CreateContainerConfigError") -> dict[str, Any]:
    waiting = {"waiting": {"reason": reason, "message": message}}
    return {"status": {"containerStatuses": [{"name": "web", "state": waiting}]}}


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('configmap "settings" not found', [Reference("ConfigMap", "settings")]),
        ('secret "keys" not found', [Reference("Secret", "keys")]),
        (
            "couldn't find key colour in ConfigMap shop-it/settings",
            [Reference("ConfigMap", "settings", "colour")],
        ),
        ("couldn't find key a.b in Secret shop-it/keys", [Reference("Secret", "keys", "a.b")]),
        ("container has runAsNonRoot and image will run as root", []),
    ],
)
def test_named(message: str, found: list[Reference]) -> None:
    assert missing(pod(message)) == found


def test_other_reasons_name_nothing() -> None:
    assert missing(pod('secret "keys" not found', "ErrImagePull")) == []
    assert missing({}) == []


@pytest.mark.parametrize(
    ("reference", "obj", "met"),
    [
        (Reference("Secret", "keys"), None, False),
        (Reference("Secret", "keys"), {}, True),
        (Reference("Secret", "keys", "a"), {"data": {"b": ""}}, False),
        (Reference("Secret", "keys", "a"), {"data": {"a": ""}}, True),
        (Reference("ConfigMap", "files", "a"), {"data": None, "binaryData": {"a": ""}}, True),
    ],
)
def test_met(reference: Reference, obj: dict[str, Any] | None, met: bool) -> None:
    assert reference.met_by(obj) is met
