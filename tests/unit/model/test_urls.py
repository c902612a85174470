from __future__ import annotations

from typing import Any

import pytest

from envctl.model.urls import urls

LOCAL = "http://localhost:8081"


def ingress(*hosts: str, tls: list[Any] | None = None, address: Any = None) -> dict[str, Any]:
    rules = [{"host": host} if host else {"http": {}} for host in hosts]
    spec = {"rules": rules, "tls": tls or []}
    return {"spec": spec, "status": {"loadBalancer": {"ingress": [address] if address else []}}}


@pytest.mark.parametrize(
    ("own", "ingresses", "base", "found"),
    [
        ("", [], "", ()),
        ("https://a.example.org/", [], "", ("https://a.example.org/",)),
        ("", [ingress("a.example.org")], "", ("http://a.example.org/",)),
        (
            "https://a.example.org/shop",
            [ingress("a.example.org", "b.example.org", tls=[{"hosts": ["b.example.org"]}])],
            "",
            ("https://a.example.org/shop", "https://b.example.org/"),
        ),
        ("", [ingress("a.localhost")], LOCAL, ("http://a.localhost:8081/",)),
        ("", [ingress("a.localhost")], "", ("http://a.localhost/",)),
        ("", [ingress("a.example.org")], LOCAL, ("http://a.example.org/",)),
        ("", [ingress("*.example.org")], "", ()),
        ("", [ingress("", address={"ip": "10.0.0.1"})], "", ("http://10.0.0.1/",)),
        ("", [ingress("", address={"ip": "fd00::1"})], "", ("http://[fd00::1]/",)),
        (
            "",
            [ingress("", address={"hostname": "lb.example.org"})],
            "",
            ("http://lb.example.org/",),
        ),
        ("", [ingress("a.b", address={"ip": "10.0.0.1"})], "", ("http://a.b/",)),
        ("", [ingress("a.b"), ingress("a.b")], "", ("http://a.b/",)),
        ("", [{}], "", ()),
    ],
)
def test_urls(own: str, ingresses: list[Any], base: str, found: tuple[str, ...]) -> None:
    assert urls(own, ingresses, base) == found
