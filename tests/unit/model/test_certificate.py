from __future__ import annotations

import base64
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.model.certificate import not_after, token_end

# Two self-signed certificates; their keys were thrown away. Up to 2049 the end is a UTCTime, from
# 2050 on a GeneralizedTime (RFC 5280, section 4.1.2.5).
SHORT = base64.b64decode(
    "MIIBbjCCAROgAwIBAgIUAWcgkYwtAUgSzvwmV9MfKgenJCkwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAeFw0yNjExMjMw"
    "MzUxMTBaFw0yNjEyMjMwMzUxMTBaMAwxCjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATnzIvWrrHaqmx6"
    "ZbbwFr7iwRyBMrsNxy0PbySWlviLzNKPIHjhbbdxiLGY/fDIgjpLUqA7QjyQvkm+xSO0F7aNo1MwUTAdBgNVHQ4EFgQUBoJI"
    "rfu5A7M5+MSv3Dry8i+m9M4wHwYDVR0jBBgwFoAUBoJIrfu5A7M5+MSv3Dry8i+m9M4wDwYDVR0TAQH/BAUwAwEB/zAKBggq"
    "hkjOPQQDAgNJADBGAiEA4q/ZMTvGOWkMaK4hTcYu0UPW254LetWv709fl45GINECIQCuIaumzok7h1qCZ+RDtm76aUytTmIX"
    "+zvq4LZiRpFk1g=="
)
LONG = base64.b64decode(
    "MIIBbzCCARWgAwIBAgIUL6QZufRihZoy2mmsNxoWmS/gUAYwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAgFw0yNjExMjMw"
    "MzUxMTBaGA8yMDU5MTAwMTAzNTExMFowDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDH9vpt/VRZ8"
    "jXgUK7XLsh0k8+govd/xUy4YDMo4uiv/S//Vzdx848MgOd9h850uiQOZrnaQ2vUWQtn3pcKUIXGjUzBRMB0GA1UdDgQWBBQB"
    "Jby6CzsnrNJmmMwHfaVSAVDzgTAfBgNVHSMEGDAWgBQBJby6CzsnrNJmmMwHfaVSAVDzgTAPBgNVHRMBAf8EBTADAQH/MAoG"
    "CCqGSM49BAMCA0gAMEUCIQCbL5DeaNsT6gluCCMyU6I2AVU3Vo/FvQfraSWtGx3KZwIgKUv/8+nfFY6sMnO13NxBO9ZKjT8j"
    "Crqrw79yOTdYq6Y="
)


@pytest.mark.parametrize(
    ("der", "end"),
    [
        (SHORT, dt.datetime(2026, 12, 23, 3, 51, 10, tzinfo=dt.UTC)),
        (LONG, dt.datetime(2059, 10, 1, 3, 51, 10, tzinfo=dt.UTC)),
        (b"", None),
        (b"\x30\x03\x30\x01", None),
        (SHORT[:80], None),
    ],
)
def test_the_end_of_a_certificate(der: bytes, end: dt.datetime | None) -> None:
    assert not_after(der) == end


@given(st.binary(max_size=300))
def test_what_is_no_certificate_breaks_nothing(der: bytes) -> None:
    not_after(der)


@given(st.integers(0, len(SHORT) - 1), st.integers(0, 255))
def test_a_damaged_certificate_breaks_nothing(index: int, byte: int) -> None:
    not_after(SHORT[:index] + bytes([byte]) + SHORT[index + 1 :])


def _token(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


@pytest.mark.parametrize(
    ("token", "end"),
    [
        (_token({"exp": 0}), dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
        (_token({"exp": 1_800_000_000}), dt.datetime(2027, 1, 15, 8, tzinfo=dt.UTC)),
        (_token({"sub": "x"}), None),
        (_token({"exp": "soon"}), None),
        (_token([]), None),
        ("opaque", None),
        ("a.b.c", None),
    ],
)
def test_the_end_of_a_token(token: str, end: dt.datetime | None) -> None:
    assert token_end(token) == end
